import Foundation
import Guest
import GuestTesting
import Guestfs
import Host
import Testing

/// Hives on a real NTFS, read and written inside the appliance. `REHOST_TEST_APPLIANCE=1` asks for it.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_TEST_APPLIANCE"] == "1", "REHOST_TEST_APPLIANCE=1 is not set"),
    .enabled(if: HostTool("mkntfs").isInstalled, "ntfs-3g is not installed"))
struct WindowsVolumeTests {
    private func items(_ edits: [RegistryEdit]) -> Plan {
        Plan(items: edits.map { Plan.Item(injector: "test", change: .registry($0), before: .nothing) })
    }

    @Test func registry() async throws {
        let scratch = try ScratchFolder()
        let image = scratch.file("ntfs.img")
        try Data().write(to: URL(filePath: image))
        try FileHandle(forWritingTo: URL(filePath: image)).truncate(atOffset: 256 << 20)
        try HostTool("mkntfs").output(["-F", "-Q", "-q", image])
        let hasReal = RealHives.has("SYSTEM-win10-gpt-dirty")
        let real = hasReal ? try ["", ".LOG1", ".LOG2"].map { try RealHives.bytes("SYSTEM-win10-gpt-dirty" + $0) } : []
        let work = try ScratchFolder()
        let appliance = Appliance()
        try await appliance.launch(
            disks: [ApplianceDisk(path: image, format: "raw", access: .overlay)],
            accelerator: AcceleratorProbe.run().accelerator, scratch: work.path
        ) { _ in }
        let failures = try await appliance.run { guest in
            try guest.mount("/dev/sda", subvolume: nil, at: .root)
            let contract = RegistryContract(hive: RegistryContract.system)
            let file: GuestPath = "/WINDOWS/system32/config/SYSTEM"
            var files = [
                Plan.Item(injector: "test", change: .write(file, EmptyHive.bytes, permissions: 0o644), before: .nothing)
            ]
            for (index, bytes) in real.enumerated() {
                let name = ["DIRTY", "DIRTY.LOG1", "DIRTY.LOG2"][index]
                files.append(
                    Plan.Item(
                        injector: "test", change: .write(file.parent.appending(name), bytes, permissions: 0o644),
                        before: .nothing))
            }
            try guest.apply(Plan(items: files)) { _ in }
            try guest.apply(items(contract.edits)) { _ in }
            var failures = try contract.failures(guest) { try guest.apply(items($0)) { _ in } }
            if !real.isEmpty { failures += try dirtyFailures(guest) }
            return failures
        }
        try await appliance.shutDown()
        #expect(failures == [])
    }

    /// What the logs hold is read, written with the first edit, and read again.
    private func dirtyFailures(_ guest: ApplianceGuest) throws -> [String] {
        let hive = Hive(file: "/Windows/System32/config/DIRTY", mountPoint: "HKEY_LOCAL_MACHINE\\DIRTY")
        let select = RegistryPath(hive, "Select")
        var failures: [String] = []
        if try guest.recoveredTransactions(of: hive) != 24 { failures.append("not all transactions were recovered") }
        if try guest.value("Current", of: select) != .dword(1) { failures.append("the hive can't be read") }
        let names = try guest.list("/Windows/System32/config")
        try guest.apply(items([RegistryEdit(select, .set([.init("Failed", .dword(9))]))])) { _ in }
        if try guest.recoveredTransactions(of: hive) != nil { failures.append("the hive is dirty after an edit") }
        if try guest.value("Failed", of: select) != .dword(9) { failures.append("the edit is lost") }
        let after = try guest.list("/Windows/System32/config")
        if after != names.filter({ !$0.hasSuffix(".rehost") }) { failures.append("there is \(after)") }
        return failures
    }
}
