import Foundation
import Guest
import Testing

@testable import Descriptions

@Suite struct VMXTests {
    private func read(_ text: String) throws -> DescribedMachine {
        try VMXReader.read(Array(text.utf8), path: "/vms/web01/web01.vmx")
    }

    /// As ESXi 7 writes it.
    private static let esxi = """
        .encoding = "UTF-8"
        config.version = "8"
        virtualHW.version = "19"
        displayName = "web01 |22blue|22 |7C"
        firmware = "efi"
        uefi.secureBoot.enabled = "TRUE"
        memSize = "4096"
        numvcpus = "6"
        cpuid.coresPerSocket = "3"
        guestOS = "rhel9-64"
        scsi0.virtualDev = "pvscsi"
        scsi0.present = "TRUE"
        scsi0:10.deviceType = "scsi-hardDisk"
        scsi0:10.fileName = "data10.vmdk"
        scsi0:10.present = "TRUE"
        scsi0:2.deviceType = "scsi-hardDisk"
        scsi0:2.fileName = "../shared/data2.vmdk"
        scsi0:2.present = "TRUE"
        scsi0:0.deviceType = "scsi-hardDisk"
        scsi0:0.fileName = "web01-000002.vmdk"
        scsi0:0.present = "TRUE"
        scsi1:0.fileName = "/vmfs/volumes/other/log.vmdk"
        scsi1:0.present = "TRUE"
        scsi1.present = "TRUE"
        scsi1.virtualDev = "lsisas1068"
        scsi0:3.fileName = "gone.vmdk"
        scsi0:3.present = "FALSE"
        scsi2:0.fileName = "nocontroller.vmdk"
        scsi2:0.present = "TRUE"
        scsi2.present = "FALSE"
        nvme0.present = "TRUE"
        nvme0:0.fileName = "fast.vmdk"
        nvme0:0.present = "TRUE"
        sata0.present = "TRUE"
        sata0:0.deviceType = "cdrom-image"
        sata0:0.fileName = "/isos/a.iso"
        sata0:0.present = "TRUE"
        ide1:0.deviceType = "atapi-cdrom"
        ide1:0.fileName = "auto detect"
        ide1:0.present = "TRUE"
        floppy0.present = "TRUE"
        ethernet10.present = "TRUE"
        ethernet10.connectionType = "nat"
        ethernet2.virtualDev = "vmxnet3"
        ethernet2.networkName = "Prod & Test"
        ethernet2.addressType = "static"
        ethernet2.address = "00:50:56:00:00:02"
        ethernet2.generatedAddress = "00:0c:29:ff:ff:ff"
        ethernet2.present = "TRUE"
        ethernet0.virtualDev = "E1000e"
        ethernet0.networkName = "VM Network"
        ethernet0.addressType = "vpx"
        ethernet0.generatedAddress = "00:50:56:AC:CF:51"
        ethernet0.present = "TRUE"
        ethernet1.present = "FALSE"
        sound.present = "TRUE"
        """

    @Test func esxi() throws {
        let described = try read(Self.esxi)
        let machine = described.machine
        #expect(machine.name == "web01 \"blue\" |")
        #expect(machine.hypervisor == "vmware")
        #expect(machine.memory == 4 << 30)
        #expect(machine.processors == 6)
        #expect(machine.topology == .init(sockets: 2, coresPerSocket: 3))
        #expect(machine.firmware == .uefi)
        #expect(machine.secureBoot == true)
        #expect(machine.guestSystem == "rhel9-64")
        #expect(
            machine.disks.map(\.file) == [
                "/vms/web01/web01-000002.vmdk", "/vms/shared/data2.vmdk", "/vms/web01/data10.vmdk",
                "/vmfs/volumes/other/log.vmdk", "/vms/web01/fast.vmdk",
            ])
        #expect(machine.disks.map(\.bus) == [.scsi, .scsi, .scsi, .scsi, .nvme])
        #expect(machine.disks.map(\.controller) == ["pvscsi", "pvscsi", "pvscsi", "lsisas1068", nil])
        #expect(machine.removableDrives.map(\.kind) == [.cdrom, .cdrom, .floppy])
        #expect(machine.removableDrives.map(\.bus) == [.sata, .ide, .floppy])
        #expect(
            machine.networkCards == [
                .init(mac: "00:50:56:ac:cf:51", network: "VM Network", model: "e1000e"),
                .init(mac: "00:50:56:00:00:02", network: "Prod & Test", model: "vmxnet3"),
                .init(mac: nil, network: "nat", model: nil),
            ])
        #expect(described.sources.allSatisfy { $0.format == "vmdk" })
        #expect(
            described.sources[1].absence == "'/vms/shared/data2.vmdk', a disk of '/vms/web01/web01.vmx', is not there")
        #expect(described.findings == [])
    }

    /// As Workstation on Windows writes it: CRLF, capitals as it likes, a boot order.
    @Test func workstation() throws {
        let text =
            "#!/usr/bin/vmware\r\n.ENCODING = \"windows-1252\"\r\nConfig.Version = \"8\"\r\nDISPLAYNAME = \"B\u{FC}ro\"\r\n"
            + "memsize = 512\r\nide0:0.PRESENT = \"true\"\r\nide0:0.filename = \"a.vmdk\"\r\nide0:1.present = \"true\"\r\n"
            + "ide0:1.filename = \"b.vmdk\"\r\nbios.hddOrder = \"ide0:1, ide0:0\"\r\nmemsize = \"1024\"\r\n"
            + "cleanShutdown = \"FALSE\"\r\nethernet0.present = \"TRUE\"\r\nethernet0.connectionType = \"custom\"\r\n"
            + "ethernet0.vnet = \"VMnet2\"\r\n"
        let bytes = text.unicodeScalars.map { UInt8($0.value) }
        let described = try VMXReader.read(bytes, path: "/x/b.vmx")
        #expect(described.machine.name == "Büro")
        #expect(described.machine.memory == 1 << 30)
        #expect(described.machine.processors == 1)
        #expect(described.machine.firmware == .bios)
        #expect(described.machine.disks.map(\.bootOrder) == [2, 1])
        #expect(described.machine.networkCards.map(\.network) == ["VMnet2"])
        #expect(described.findings.map(\.level) == [.warning, .note])
        #expect(described.findings[1].message == "said more than once: memsize; the last one counts")
    }

    @Test func encodings() {
        let gbk: [UInt8] = [0xB7, 0xFE, 0xCE, 0xF1, 0xC6, 0xF7]
        #expect(TextEncoding.decode(gbk, as: "GBK") == "服务器")
        #expect(TextEncoding.decode(Array("服务器".utf8), as: nil) == "服务器")
        #expect(TextEncoding.decode([0x42, 0xFC], as: nil) == "Bü")
        #expect(TextEncoding.decode([0x42, 0xFC], as: "no/such//thing") == "Bü")
        #expect(TextEncoding.decode(Array("ü".utf8), as: "UTF-8") == "ü")
    }

    @Test func hostileNumbers() throws {
        let machine = try read(
            """
            config.version = "8"
            memSize = "99999999999999999999"
            numvcpus = "18446744073709551615"
            cpuid.coresPerSocket = "0"
            scsi99999999999999999999:0.present = "TRUE"
            scsi0:-1.present = "TRUE"
            scsi0:0:0.present = "TRUE"
            ethernet99999999999999999999.present = "TRUE"
            ethernet0.present = "TRUE"
            ethernet0.generatedAddress = "00:11:22:33:44"
            = "nothing"
            displayName =
            """
        ).machine
        #expect(machine.name == "web01")
        #expect(machine.memory == nil)
        #expect(machine.processors == 1)
        #expect(machine.topology == nil)
        #expect(machine.disks == [])
        #expect(machine.networkCards == [.init()])
    }

    @Test func refusals() {
        #expect(words { try read("a = \"b\"") }.contains("is no VMX file"))
        #expect(
            words { try read("config.version = \"8\"\nencryption.keySafe = \"vmware:key/x\"") }.contains("is encrypted")
        )
        #expect(
            (try? read("config.version = \"8\"\ncheckpoint.vmState = \"a.vmss\""))?.findings.map(\.level) == [.warning])
    }
}
