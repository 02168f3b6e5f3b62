import Foundation
import Guest
import GuestTesting
import Hives
import Testing

@Suite struct RegistryContractTests {
    @Test func memory() throws {
        let contract = RegistryContract(hive: RegistryContract.system)
        let registry = MemoryRegistry()
        registry.put(RegistryPath(contract.hive, ""))
        for edit in contract.edits { try registry.apply(edit) }
        let failures = try contract.failures(registry) { for edit in $0 { try registry.apply(edit) } }
        #expect(failures == [])
    }

    /// The draft over a hive without the second round of edits sees what a guest with them would.
    @Test func draft() throws {
        let contract = RegistryContract(hive: RegistryContract.system)
        let registry = MemoryRegistry()
        registry.put(RegistryPath(contract.hive, ""))
        for edit in contract.edits { try registry.apply(edit) }
        var draft = Draft(over: MemoryGuest(), disks: MemoryGuest(), registry: registry)
        let reader = DraftView { draft }
        let failures = try contract.failures(reader) { edits in
            for edit in edits {
                if edit.action == .remove { try draft.remove(edit.key) } else { try draft.make(edit.key) }
                for setting in edit.settings {
                    if let value = setting.value {
                        try draft.set(setting.name, value, of: edit.key)
                    } else {
                        try draft.removeValue(setting.name, of: edit.key)
                    }
                }
            }
        }
        #expect(failures == [])
        // What comes out of it has the same effect.
        for case .registry(let edit) in try draft.plan().items.map(\.change) { try registry.apply(edit) }
        #expect(try Draft(over: MemoryGuest(), disks: MemoryGuest(), registry: registry).plan().isEmpty)
        for path in ["ControlSet001\\Services\\disk", "ControlSet001\\Services\\viostor"] {
            let key = RegistryPath(contract.hive, path)
            #expect(try registry.tree(of: key) == draft.tree(of: key))
        }
    }

    @Test func libhivex() throws {
        let contract = RegistryContract(hive: RegistryContract.system)
        let folder = try ScratchFolder()
        let guest = DirectoryGuest(root: folder.path, caseSensitivity: .insensitive)
        let config = folder.file("WINDOWS/system32/Config")
        try FileManager.default.createDirectory(atPath: config, withIntermediateDirectories: true)
        try Data(EmptyHive.bytes).write(to: URL(filePath: config + "/SYSTEM"))
        func apply(_ edits: [RegistryEdit]) throws {
            let items = edits.map { Plan.Item(injector: "test", change: .registry($0), before: .nothing) }
            try guest.apply(Plan(items: items)) { _ in }
        }
        try apply(contract.edits)
        #expect(try contract.failures(guest, edit: apply) == [])
    }

    private struct DraftView: GuestRegistry {
        let draft: () -> Draft
        func subkeys(of key: RegistryPath) throws -> [String]? { try draft().subkeys(of: key) }
        func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { try draft().values(of: key) }
        func recoveredTransactions(of hive: Hive) throws -> Int? { nil }
    }
}
