import Foundation
import Guest
import Testing
import XML

@testable import Descriptions

struct OVFDescriptorTests {
    private static let cim = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"

    private func envelope(_ machine: ConvertedMachine, files: [OVFDescriptor.File]? = nil) throws -> XMLElement {
        let files = files ?? machine.disks.indices.map { .init(name: "web01-disk\($0 + 1).vmdk", size: 1000) }
        return try XMLDocument(parsing: [UInt8](OVFDescriptor(machine, files: files).xml())).root
    }

    private func ovf(_ element: XMLElement?, _ name: String) -> String? {
        element?.attribute(name) { $0 == "http://schemas.dmtf.org/ovf/envelope/1" }
    }

    @Test func filesAndDisks() throws {
        let root = try envelope(.sample(disks: 2))
        #expect(root.name == "Envelope" && root.namespace == "http://schemas.dmtf.org/ovf/envelope/1")
        #expect(
            root.children.map(\.name) == ["References", "DiskSection", "NetworkSection", "VirtualSystem"])
        let files = root.first("References")?.all("File") ?? []
        #expect(files.map { ovf($0, "href") } == ["web01-disk1.vmdk", "web01-disk2.vmdk"])
        #expect(files.map { ovf($0, "size") } == ["1000", "1000"])
        let disks = root.first("DiskSection")?.all("Disk") ?? []
        #expect(disks.map { ovf($0, "fileRef") } == files.map { ovf($0, "id") })
        #expect(ovf(disks[0], "capacity") == "\(10 << 30)")
        #expect(ovf(disks[0], "capacityAllocationUnits") == "byte")
        #expect(ovf(disks[0], "format")?.hasSuffix("#streamOptimized") == true)
    }

    private func items(_ root: XMLElement) throws -> [XMLElement] {
        let section = try #require(root.first("VirtualSystem")?.first("VirtualHardwareSection"))
        return section.all("Item")
    }

    private func items(_ root: XMLElement, ofType type: Int) throws -> [XMLElement] {
        try items(root).filter { $0.first("ResourceType")?.text == "\(type)" }
    }

    @Test func devices() throws {
        let root = try envelope(.sample(from: .sample, firmware: .uefi, disks: 2, boot: 1))
        let all = try items(root)
        #expect(Set(all.compactMap { $0.first("InstanceID")?.text }).count == all.count)
        for item in all {
            // The schema's sequence; extensions come last.
            let names = item.children.filter { $0.namespace?.hasPrefix(Self.cim) == true }.map(\.name)
            #expect(names == names.sorted())
        }
        #expect(try items(root, ofType: 3)[0].first("VirtualQuantity")?.text == "8")
        #expect(try items(root, ofType: 3)[0].first("CoresPerSocket")?.text == "4")
        #expect(try items(root, ofType: 4)[0].first("VirtualQuantity")?.text == "6144")
        #expect(try items(root, ofType: 4)[0].first("AllocationUnits")?.text == "byte * 2^20")
        let cards = try items(root, ofType: 10)
        #expect(cards.map { $0.first("Address")?.text } == ["00:50:56:aa:bb:01", "00:50:56:aa:bb:02", nil])
        #expect(
            cards.map { $0.first("Connection")?.text } == ["VLAN 10 (prod)", "Sicherung & \"Archiv\"", "VM Network"])
        let networks = root.first("NetworkSection")?.all("Network") ?? []
        #expect(networks.map { ovf($0, "name") } == cards.map { $0.first("Connection")?.text })
        let system = try #require(root.first("VirtualSystem"))
        #expect(system.first("Name")?.text == "Web <01> & \"co\"")
        #expect(ovf(system.first("OperatingSystemSection"), "id") == "96")
        let configurations =
            system.first("VirtualHardwareSection")?.children.filter { $0.name.hasSuffix("Config") } ?? []
        let vmware = { (uri: String?) in uri == "http://www.vmware.com/schema/ovf" }
        #expect(
            configurations.map { $0.attribute("key", where: vmware) } == [
                "firmware", "bootOptions.efiSecureBootEnabled", "bios.hddOrder",
            ])
        #expect(configurations.map { $0.attribute("value", where: vmware) } == ["efi", "false", "scsi0:1"])
    }

    @Test func manyDisksHaveSeveralControllers() throws {
        let root = try envelope(.sample(disks: 20))
        let controllers = try items(root, ofType: 6).compactMap { $0.first("InstanceID")?.text }
        let disks = try items(root, ofType: 17)
        #expect(controllers.count == 2 && disks.count == 20)
        #expect(disks.compactMap { $0.first("Parent")?.text }.map { $0 == controllers[0] } == (0..<20).map { $0 < 15 })
        let places = disks.compactMap { Int($0.first("AddressOnParent")?.text ?? "") }
        #expect(places == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4])
    }

    @Test func aMachineWithoutCardsHasNoNetworks() throws {
        let root = try envelope(.sample(from: MachineDescription(name: "alone")))
        #expect(root.first("NetworkSection") == nil)
        #expect(try items(root, ofType: 10).isEmpty)
    }

    @Test func aFilesNameIsAReference() throws {
        let root = try envelope(.sample(), files: [.init(name: "a b/ü%\"<.vmdk", size: 1)])
        #expect(ovf(root.first("References")?.first("File"), "href") == "a%20b%2F%C3%BC%25%22%3C.vmdk")
    }

    @Test func theManifest() {
        let text = OVFManifest.text([("a.ovf", String(repeating: "0", count: 64)), ("b.vmdk", "ff")])
        #expect(
            String(decoding: text, as: UTF8.self)
                == "SHA256(a.ovf)= \(String(repeating: "0", count: 64))\nSHA256(b.vmdk)= ff\n")
    }
}
