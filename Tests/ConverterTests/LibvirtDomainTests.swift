import Foundation
import FoundationXML
import Guest
import Testing

@testable import Converter

struct LibvirtDomainTests {
    private func domain(
        _ disks: [LibvirtDomain.Disk] = [.init(path: "/a.qcow2", format: "qcow2")], name: String = "web01",
        firmware: Firmware = .bios, bus: Adaptation.DiskBus = .virtioBlk, boot: Int = 0
    ) throws -> Elements {
        let data = try LibvirtDomain(
            name: name, type: "kvm", architecture: "x86_64", firmware: firmware, bus: bus, disks: disks, bootDisk: boot
        ).xml()
        return try Elements(data)
    }

    @Test func aBIOSGuest() throws {
        let found = try domain()
        #expect(found["domain"] == [["type": "kvm"]])
        #expect(found["domain/os"] == [[:]])
        #expect(found["domain/os/type"] == [["arch": "x86_64", "machine": "q35"]])
        #expect(found["domain/devices/disk/driver"] == [["name": "qemu", "type": "qcow2"]])
        #expect(found["domain/devices/disk/source"] == [["file": "/a.qcow2"]])
        #expect(found["domain/devices/disk/target"] == [["dev": "vda", "bus": "virtio"]])
        #expect(found["domain/devices/controller"] == [])
        #expect(found["domain/devices/interface/model"] == [["type": "virtio"]])
        #expect(found.text["domain/name"] == "web01")
        #expect(found.text["domain/memory"] == "2048")
    }

    @Test func aUEFIGuestOnSCSI() throws {
        let found = try domain(firmware: .uefi, bus: .virtioSCSI)
        #expect(found["domain/os"] == [["firmware": "efi"]])
        #expect(found["domain/devices/disk/target"] == [["dev": "sda", "bus": "scsi"]])
        #expect(found["domain/devices/controller"] == [["type": "scsi", "model": "virtio-scsi"]])
    }

    @Test func theBootDiskComesFirst() throws {
        let disks = (0..<4).map { LibvirtDomain.Disk(path: "/\($0)", format: "raw") }
        let found = try domain(disks, boot: 2)
        #expect(found["domain/devices/disk/boot"].compactMap { $0["order"] } == ["2", "3", "1", "4"])
        #expect(found["domain/devices/disk/target"].compactMap { $0["dev"] } == ["vda", "vdb", "vdc", "vdd"])
    }

    @Test func everyDiskHasANameOfItsOwn() throws {
        let disks = (0..<30).map { LibvirtDomain.Disk(path: "/\($0)", format: "raw") }
        let names = try domain(disks)["domain/devices/disk/target"].compactMap { $0["dev"] }
        #expect(Set(names).count == 30)
        #expect(names.contains("vdaa"))
    }

    @Test func namesAndPathsAreEscaped() throws {
        let path = "/tmp/a & <b> \"c\" 'd' żółć.qcow2"
        let found = try domain([.init(path: path, format: "raw")], name: "<&>\"ü")
        #expect(found["domain/devices/disk/source"] == [["file": path]])
        #expect(found.text["domain/name"] == "<&>\"ü")
    }

    /// XML has no way to write them.
    @Test func controlCharactersLeaveItWellFormed() throws {
        let found = try domain(name: "a\u{1}\u{1B}b")
        #expect(found.text["domain/name"]?.contains("b") == true)
    }
}

/// A document as a list of elements by their paths.
private final class Elements: NSObject, XMLParserDelegate {
    private(set) var text: [String: String] = [:]
    private var found: [String: [[String: String]]] = [:]
    private var path: [String] = []

    subscript(_ path: String) -> [[String: String]] { found[path] ?? [] }

    init(_ data: Data) throws {
        super.init()
        let parser = XMLParser(data: data)
        parser.delegate = self
        guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        path.append(name)
        found[path.joined(separator: "/"), default: []].append(attributes)
    }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) { path.removeLast() }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        text[path.joined(separator: "/"), default: ""] += string
    }
}
