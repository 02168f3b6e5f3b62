import Foundation
import Testing

@testable import Preflight

@Suite struct UEFIVariablesTests {
    /// As Debian's OVMF delivers it, but smaller: a store of 4 KiB and nothing after it.
    static func fresh(size: Int = 4096) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: size)
        func put(_ offset: Int, _ new: [UInt8]) { bytes.replaceSubrange(offset..<offset + new.count, with: new) }
        put(0, [UInt8](repeating: 0, count: 16))
        put(16, [0x8D, 0x2B, 0xF1, 0xFF, 0x96, 0x76, 0x8B, 0x4C, 0xA9, 0x85, 0x27, 0x47, 0x07, 0x5B, 0x4F, 0x50])
        put(32, UEFIVariables.little(size, 8))
        put(40, Array("_FVH".utf8) + [0xFF, 0xFE, 0x04, 0x00, 0x48, 0x00, 0, 0, 0, 0, 0, 2])
        put(56, UEFIVariables.little(size / 4096, 4) + UEFIVariables.little(4096, 4) + [UInt8](repeating: 0, count: 8))
        put(72, [0x78, 0x2C, 0xF3, 0xAA, 0x7B, 0x94, 0x9A, 0x43, 0xA1, 0x80, 0x2E, 0x14, 0x4E, 0xC3, 0x77, 0x92])
        put(88, UEFIVariables.little(size - 72, 4) + [0x5A, 0xFE, 0, 0, 0, 0, 0, 0])
        var sum = 0
        for offset in stride(from: 0, to: 72, by: 2) { sum += Int(bytes[offset]) + Int(bytes[offset + 1]) << 8 }
        put(50, UEFIVariables.little(0x10000 - sum & 0xFFFF, 2))
        return bytes
    }

    @Test func addsAnEntryToAFreshStore() throws {
        let store = try UEFIVariables(store: Self.fresh())
        let new = try store.adding(loader: #"\EFI\debian\grubx64.efi"#)
        #expect(new.variables.map(\.name) == ["Boot0000", "BootOrder"])
        #expect(new.variables[1].data == [0, 0])
        let entry = new.variables[0].data
        #expect(Array(entry[0..<6]) == [1, 0, 0, 0, 56, 0])
        #expect(Array(entry[6..<20]) == Array("r\0e\0h\0o\0s\0t\0\0\0".utf8))
        #expect(Array(entry[20..<28]) == [4, 4, 52, 0] + Array("\\\0E\0".utf8))
        #expect(Array(entry.suffix(6)) == [0, 0, 0x7F, 0xFF, 4, 0])
        #expect(entry.count == 6 + 14 + 56)
        // The first header, at the first multiple of 4 after the store's.
        #expect(Array(new.bytes[100..<108]) == [0xAA, 0x55, 0x3F, 0, 7, 0, 0, 0])
        #expect(Array(new.bytes[136..<160]) == [18, 0, 0, 0, 76, 0, 0, 0] + UEFIVariables.global)
        #expect(new.bytes.count == store.bytes.count)
        #expect(Array(new.bytes[0..<100]) == Array(store.bytes[0..<100]))
    }

    @Test func putsItBeforeWhatIsThere() throws {
        let first = try UEFIVariables(store: Self.fresh()).adding(loader: "/EFI/a.efi")
        let second = try first.adding(loader: "EFI/b.efi", description: "other")
        #expect(second.variables.map(\.name) == ["Boot0000", "Boot0001", "BootOrder"])
        #expect(second.variables[2].data == [1, 0, 0, 0])
    }

    @Test func namesAPartition() throws {
        let new = try UEFIVariables(store: Self.fresh()).adding(
            loader: #"\a.efi"#, partition: .init(number: 3, guid: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"))
        let node = Array(new.variables[0].data[20..<62])
        #expect(Array(node[0..<8]) == [4, 1, 42, 0, 3, 0, 0, 0])
        #expect(
            Array(node[24...]) == [
                0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B, 2, 2,
            ])
        for guid in ["", "c12a7328", "c12a7328-f81f-11d2-ba4b-00a0c93ec93g", "+12a7328-f81f-11d2-ba4b-00a0c93ec93b"] {
            #expect(throws: UEFIVariables.Failure.self) {
                try UEFIBootEntry(loader: #"\a"#, partition: .init(number: 1, guid: guid), description: "d")
            }
        }
    }

    @Test func refusesNamesThatUCS2DoesNotHold() throws {
        let store = try UEFIVariables(store: Self.fresh())
        for loader in ["", "\\", "a\n", "😀.efi", String(repeating: "a", count: 300)] {
            #expect(throws: UEFIVariables.Failure.self) { try store.adding(loader: loader) }
        }
    }

    @Test func refusesOtherFiles() {
        let fresh = Self.fresh()
        func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
            var bytes = fresh
            bytes[offset] = value
            return bytes
        }
        let wrong: [[UInt8]] = [
            [], Array("QFI\u{FB}".utf8), Array(fresh.prefix(100)), Array(fresh.prefix(4000)), changed(16, 0),
            changed(34, 9),
            changed(40, 0), changed(48, 0xFF), changed(49, 0xFF), changed(50, fresh[50] &+ 1), changed(72, 0),
            changed(89, 0xFF), changed(92, 0), changed(93, 0xFF),
        ]
        for bytes in wrong {
            #expect(throws: UEFIVariables.Failure.self) { try UEFIVariables(store: bytes) }
        }
    }

    @Test func refusesBrokenVariablesAndFullStores() throws {
        var bytes = try UEFIVariables(store: Self.fresh()).adding(loader: "/a.efi").bytes
        bytes[139] = 0x7F
        #expect(throws: UEFIVariables.Failure.self) { try UEFIVariables(store: bytes) }
        #expect(throws: UEFIVariables.Failure.self) {
            try UEFIVariables(store: Self.fresh(size: 256)).adding(loader: "/EFI/debian/grubx64.efi")
        }
        bytes = Self.fresh()
        bytes[150] = 0
        #expect(throws: UEFIVariables.Failure.self) { try UEFIVariables(store: bytes).adding(loader: "/a.efi") }
    }

    @Test func survivesAnyByte() {
        var bytes = Self.fresh()
        if let used = try? UEFIVariables(store: bytes).adding(loader: "/a.efi") { bytes = used.bytes }
        for offset in 0..<400 {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var copy = bytes
                copy[offset] = value
                _ = try? UEFIVariables(store: copy).adding(loader: "/b.efi")
            }
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd")))
    func takesDebiansStores() throws {
        for name in ["OVMF_VARS_4M.fd", "OVMF_VARS_4M.ms.fd", "OVMF_VARS.fd"] {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/OVMF/\(name)")))
            let store = try UEFIVariables(store: bytes)
            let new = try store.adding(loader: #"\EFI\debian\grubx64.efi"#)
            #expect(new.variables.count >= store.variables.count + 1)
            #expect(new.bytes.count == bytes.count)
        }
    }
}
