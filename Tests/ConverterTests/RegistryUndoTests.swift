import Foundation
import Guest
import GuestTesting
import Testing

@testable import Converter

/// The file that puts a registry back.
struct RegistryUndoTests {
    private let hive = WindowsInstallation.system(below: "/Windows")

    private func key(_ path: String) -> RegistryPath { RegistryPath(hive, path) }

    private func text(_ plan: Plan) -> String? {
        RegistryUndo.file(for: plan).flatMap { String(data: Data($0), encoding: .utf16) }
    }

    @Test func everyChangeHasItsWayBack() throws {
        let guest = MemoryGuest()
        guest.contents.registry.put(
            key("A"), ["Start": .dword(3), "Text": .string("x"), "Bytes": .binary([1, 0xAB]), "": .dword(1)])
        guest.contents.registry.put(key(#"A\Old\In"#), [#"C:\"x""#: .expandString("%a%")])
        var draft = Draft(over: guest, disks: guest, registry: guest)
        for name in ["Start", "New", ""] { try draft.set(name, .dword(0), of: key("A")) }
        try draft.set("Text", .string("y"), of: key("A"))
        try draft.set("Bytes", .none, of: key("A"))
        try draft.set("v", .dword(1), of: key(#"A\Made\Below"#))
        try draft.remove(key(#"A\Old"#))
        let text = try #require(try self.text(draft.plan()))
        #expect(text.hasPrefix("Windows Registry Editor Version 5.00\r\n"))
        let body = text.components(separatedBy: "\r\n").filter { !$0.isEmpty && !$0.hasPrefix(";") }.dropFirst()
        #expect(
            Array(body) == [
                #"[-HKEY_LOCAL_MACHINE\SYSTEM\A\Made]"#, #"[HKEY_LOCAL_MACHINE\SYSTEM\A\Old]"#,
                #"[HKEY_LOCAL_MACHINE\SYSTEM\A\Old\In]"#, #""C:\\\"x\""=hex(2):25,00,61,00,25,00,00,00"#,
                #"[HKEY_LOCAL_MACHINE\SYSTEM\A]"#, "@=dword:00000001", #""Bytes"=hex:01,ab"#, #""New"=-"#,
                #""Start"=dword:00000003"#, #""Text"=hex(1):78,00,00,00"#,
            ])
    }

    @Test func aPlanWithoutRegistryHasNone() { #expect(RegistryUndo.file(for: Plan()) == nil) }
}
