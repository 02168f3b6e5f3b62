import Foundation
import Guest
import Testing

@testable import Descriptions

@Suite struct OVFTests {
    private func read(_ text: String, files: [String: String] = [:]) throws -> DescribedMachine {
        let folder = try Folder()
        for (name, content) in files { try folder.add(name, content) }
        try folder.add("machine.ovf", text)
        guard let described = try folder.describe("machine.ovf") else { throw DescriptionFailure("none", hint: "") }
        return described
    }

    @Test func vmware() throws {
        let described = try read(Documents.vmware, files: ["web01-disk1.vmdk": "a", "web01-disk2.vmdk": "b"])
        let machine = described.machine
        #expect(machine.name == "web01 <&> \"two\"")
        #expect(machine.hypervisor == "vmware")
        #expect(machine.memory == 4 << 30)
        #expect(machine.processors == 4)
        #expect(machine.topology == .init(sockets: 2, coresPerSocket: 2))
        #expect(machine.firmware == .uefi)
        #expect(machine.secureBoot == true)
        #expect(machine.guestSystem == "rhel9_64Guest")
        // The second of the document is at the first place of the controller.
        #expect(
            machine.disks.map { URL(fileURLWithPath: $0.file).lastPathComponent } == [
                "web01-disk2.vmdk", "web01-disk1.vmdk",
            ])
        #expect(machine.disks.map(\.capacity) == [1 << 30, 40 << 30])
        #expect(machine.disks.map(\.bus) == [.scsi, .scsi])
        #expect(machine.disks.map(\.controller) == ["virtualscsi", "virtualscsi"])
        #expect(machine.removableDrives == [.init(kind: .cdrom, bus: .sata), .init(kind: .floppy, bus: .floppy)])
        #expect(
            machine.networkCards == [
                .init(mac: nil, network: "VM Network", model: "vmxnet3"),
                .init(mac: "00:50:56:11:22:33", network: "Storage", model: "e1000"),
            ])
        #expect(described.sources.map(\.parts.count) == [1, 1])
    }

    @Test func virtualBox() throws {
        let machine = try read(Documents.virtualBox, files: ["box-disk001.vmdk": "a"]).machine
        #expect(machine.name == "box")
        #expect(machine.hypervisor == "virtualbox")
        #expect(machine.memory == 2 << 30)
        #expect(machine.firmware == .uefi)
        #expect(machine.disks.map(\.bus) == [.sata])
        #expect(machine.disks.map(\.controller) == ["ahci"])
        #expect(machine.networkCards == [.init(mac: "08:00:27:8a:29:9a", network: "NAT", model: "82540em")])
    }

    @Test func oVirt() throws {
        let machine = try read(Documents.oVirt, files: ["aaaa/bbbb": "x"]).machine
        #expect(machine.name == "db02")
        #expect(machine.memory == 8 << 30)
        #expect(machine.processors == 8)
        #expect(machine.topology == .init(sockets: 2, coresPerSocket: 2, threadsPerCore: 2))
        #expect(machine.firmware == .uefi)
        #expect(machine.secureBoot == false)
        #expect(machine.disks.map(\.bus) == [.virtio])
        #expect(machine.disks.map(\.bootOrder) == [1])
        #expect(machine.disks.map(\.capacity) == [20 << 30])
        #expect(machine.networkCards == [.init(mac: "56:6f:00:00:00:01", network: "ovirtmgmt", model: "virtio")])
    }

    @Test func units() {
        #expect(AllocationUnits.bytes("byte * 2^30") == 1 << 30)
        #expect(AllocationUnits.bytes("byte*10^9") == 1_000_000_000)
        #expect(AllocationUnits.bytes("MegaBytes") == 1 << 20)
        #expect(AllocationUnits.bytes("byte") == 1)
        #expect(AllocationUnits.bytes("byte * 1024 * 1024") == 1 << 20)
        #expect(AllocationUnits.bytes("byte * 2^64") == nil)
        #expect(AllocationUnits.bytes("byte * 10^99999999999") == nil)
        #expect(AllocationUnits.bytes("hertz * 10^6") == nil)
        #expect(AllocationUnits.bytes("18446744073709551615", of: 2) == nil)
        #expect(AllocationUnits.bytes(" 50 ", of: 1 << 30) == 50 << 30)
        #expect(AllocationUnits.bytes("nan", of: 1) == nil)
        #expect(AllocationUnits.bytes("1e300", of: 1) == nil)
    }

    @Test func configurations() throws {
        let machine = try read(
            Documents.envelope(
                sections: """
                    <DeploymentOptionSection><Configuration ovf:id="small"/><Configuration ovf:id="big" ovf:default="true"/>
                    </DeploymentOptionSection>
                    """,
                items: Documents.item(1, 3, "<rasd:VirtualQuantity>1</rasd:VirtualQuantity>")
                    + Documents.item(
                        1, 3, "<rasd:VirtualQuantity>8</rasd:VirtualQuantity>", " ovf:configuration=\"big huge\"")
                    + Documents.item(
                        1, 3, "<rasd:VirtualQuantity>2</rasd:VirtualQuantity>", " ovf:configuration=\"small\"")
                    + Documents.item(2, 4, "<rasd:VirtualQuantity>512</rasd:VirtualQuantity>")
                    + Documents.item(
                        2, 4, "<rasd:VirtualQuantity>1</rasd:VirtualQuantity>", " ovf:bound=\"min\""))
        ).machine
        #expect(machine.processors == 8)
        #expect(machine.memory == 512 << 20)
    }

    @Test func refusals() throws {
        let two = Documents.envelope(items: "").replacingOccurrences(
            of: "</Envelope>", with: "<VirtualSystem ovf:id=\"second\"/></Envelope>")
        #expect(words { try read(two) }.contains("describes 2 machines: 'm', 'second'"))
        #expect(words { try read("<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1'/>") }.contains("no machine"))
        #expect(words { try read("<!DOCTYPE Envelope [<!ENTITY a 'b'>]><Envelope/>") }.contains("it has a DTD"))
        #expect(words { try read("<other/>") }.contains("neither an OVF nor a libvirt domain"))
        #expect(
            words { try read(Documents.oneDisk(href: "../../etc/shadow")) }.contains("outside its own folder"))
        #expect(words { try read(Documents.oneDisk(href: "http://x/d.vmdk")) }.contains("somewhere on a network"))
        #expect(
            words { try read(Documents.oneDisk(href: "d.vmdk", file: " ovf:compression=\"rot13\"")) }.contains(
                "'rot13'"))
        #expect(
            words { try read(Documents.oneDisk(href: "d.vmdk", disk: " ovf:parentRef=\"base\"")) }.contains("snapshots")
        )
        #expect(
            try read(Documents.oneDisk(href: "gone.vmdk")).sources.first?.absence?.hasPrefix("'gone.vmdk', a disk of")
                == true)
        let cards = (0..<10_000).map { Documents.item($0 + 10, 10, "") }.joined()
        #expect(words { try read(Documents.envelope(items: cards)) }.contains("10000 network cards"))
        let huge = "<Envelope>" + String(repeating: " ", count: 5 << 20) + "</Envelope>"
        #expect(words { try read(huge) }.contains("5 MiB"))
    }

    @Test func percentAndSubfolders() throws {
        let described = try read(Documents.oneDisk(href: "sub/a%20b.vmdk"), files: ["sub/a b.vmdk": "x"])
        #expect(described.sources.map(\.parts.count) == [1])
    }

    @Test func compressedDisk() throws {
        let described = try read(
            Documents.oneDisk(href: "d.vmdk.gz", file: " ovf:compression=\"gzip\""), files: ["d.vmdk.gz": "x"])
        #expect(described.sources.map(\.compression) == [.gzip])
    }
}
