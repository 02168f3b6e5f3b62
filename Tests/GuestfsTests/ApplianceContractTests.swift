import Foundation
import Guest
import GuestTesting
import Guestfs
import Host
import Testing

/// Real file systems through libguestfs: one appliance, launched once. `REHOST_TEST_APPLIANCE=1` asks for it.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_TEST_APPLIANCE"] == "1", "REHOST_TEST_APPLIANCE=1 is not set"),
    .enabled(if: HostTool("mke2fs").isInstalled && HostTool("debugfs").isInstalled, "e2fsprogs is not installed"))
struct ApplianceContractTests {
    private static let label = "system_u:object_r:shadow_t:s0"

    @Test func ext4() async throws {
        let scratch = try ScratchFolder()
        let image = scratch.file("ext4.img")
        try makeImage(image)
        try scratch.write("disk", ContractSample().disk)
        let work = try ScratchFolder()

        let appliance = Appliance()
        try await appliance.launch(
            disks: [
                ApplianceDisk(path: image, format: "raw", access: .overlay),
                ApplianceDisk(path: scratch.file("disk"), format: "raw", access: .overlay),
            ], accelerator: AcceleratorProbe.run().accelerator, scratch: work.path
        ) { _ in }
        let violations = try await appliance.run { guest in
            try guest.mount("/dev/sda", subvolume: nil, at: .root)
            return try checkContract(disk: 1) { _ in guest }
        }
        try await appliance.shutDown()
        #expect(violations == [])

        #expect(try attribute("/etc/shadow", of: image).contains(Self.label))
    }

    private func makeImage(_ image: String) throws {
        let tree = try ScratchFolder()
        try ContractSample().lay(into: DirectoryGuest(root: tree.path))
        try HostTool("mke2fs").output(["-q", "-t", "ext4", "-d", tree.path, image, "64M"])
        let commands = "ea_set /etc/shadow security.selinux \(Self.label)\n"
        try HostTool("debugfs").output(["-w", "-f", "-", image], input: Array(commands.utf8))
    }

    private func attribute(_ path: String, of image: String) throws -> String {
        String(
            decoding: try HostTool("debugfs").output(["-R", "ea_get \(path) security.selinux", image]), as: UTF8.self)
    }
}
