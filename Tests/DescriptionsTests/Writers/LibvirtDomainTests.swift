import Foundation
import FoundationXML
import Guest
import GuestTesting
import Testing

@testable import Descriptions

struct LibvirtDomainTests {
    private func domain(
        _ machine: ConvertedMachine, accelerator: LibvirtDomain.Accelerator = .kvm
    ) throws -> Elements {
        let xml = LibvirtDomain(machine, accelerator: accelerator).xml()
        try Self.validate(xml)
        return try Elements(xml)
    }

    /// By libvirt's own schema, where its command is installed.
    private static func validate(_ xml: Data) throws {
        let validator = HostTool("virt-xml-validate")
        guard validator.isInstalled else { return }
        let scratch = try ScratchFolder()
        try scratch.write("domain.xml", [UInt8](xml))
        let result = try validator.run([scratch.file("domain.xml"), "domain"])
        #expect(result.status == 0, "\(result.text)")
    }

    @Test func aBIOSGuest() throws {
        let found = try domain(.sample())
        #expect(found["domain"] == [["type": "kvm"]])
        #expect(found["domain/os"] == [[:]])
        #expect(found["domain/os/type"] == [["arch": "x86_64", "machine": "q35"]])
        #expect(found["domain/devices/disk/driver"] == [["name": "qemu", "type": "qcow2"]])
        #expect(found["domain/devices/disk/source"] == [["file": "/out/web01.qcow2"]])
        #expect(found["domain/devices/disk/target"] == [["dev": "vda", "bus": "virtio"]])
        #expect(found["domain/devices/controller"] == [])
        #expect(found["domain/devices/interface/model"] == [["type": "virtio"]])
        #expect(found["domain/devices/interface/mac"] == [])
        #expect(
            found["domain/devices/channel/target"] == [["type": "virtio", "name": "org.qemu.guest_agent.0"]])
        #expect(found.text["domain/name"] == "web01")
        #expect(found.text["domain/memory"] == "2048")
        #expect(found["domain/cpu"] == [["mode": "host-model"]])
    }

    @Test func aUEFIGuestOnSCSI() throws {
        let found = try domain(.sample(firmware: .uefi, bus: .virtioSCSI), accelerator: .tcg)
        #expect(found["domain/os"] == [["firmware": "efi"]])
        #expect(found["domain/os/firmware/feature"] == [["enabled": "no", "name": "secure-boot"]])
        #expect(found["domain/devices/disk/target"] == [["dev": "sda", "bus": "scsi"]])
        #expect(found["domain/devices/controller"] == [["type": "scsi", "model": "virtio-scsi"]])
        #expect(found["domain/cpu"] == [["mode": "maximum"]])
    }

    @Test func whatTheSourceHadIsTakenOver() throws {
        let found = try domain(.sample(from: .sample), accelerator: .tcg)
        #expect(found.text["domain/name"] == "Web <01> & \"co\"")
        #expect(found.text["domain/memory"] == "6144" && found.text["domain/vcpu"] == "8")
        #expect(found["domain/cpu/topology"] == [["sockets": "2", "cores": "4", "threads": "1"]])
        #expect(
            found["domain/devices/interface/mac"] == [
                ["address": "00:50:56:aa:bb:01"], ["address": "00:50:56:aa:bb:02"],
            ])
        #expect(found["domain/devices/interface/source"].allSatisfy { $0 == ["network": "default"] })
        #expect(found["domain/devices/interface"].count == 3)
    }

    @Test func theBootDiskComesFirst() throws {
        let found = try domain(.sample(disks: 4, boot: 2))
        #expect(found["domain/devices/disk/boot"].compactMap { $0["order"] } == ["2", "3", "1", "4"])
        #expect(found["domain/devices/disk/target"].compactMap { $0["dev"] } == ["vda", "vdb", "vdc", "vdd"])
    }

    @Test func everyDiskHasANameOfItsOwn() throws {
        let names = try domain(.sample(disks: 30))["domain/devices/disk/target"].compactMap { $0["dev"] }
        #expect(Set(names).count == 30)
        #expect(names.contains("vdaa"))
    }

    @Test func namesAndPathsAreEscaped() throws {
        let path = "/tmp/a & <b> \"c\" 'd' żółć.qcow2"
        let found = try domain(.sample(name: "<&>\"ü/../x", path: path))
        #expect(found["domain/devices/disk/source"] == [["file": path]])
        #expect(found.text["domain/name"] == "<&>\"ü-..-x")
    }

    /// XML has no way to write them.
    @Test func controlCharactersLeaveItWellFormed() throws {
        let found = try domain(.sample(name: "a\u{1}\u{1B}b"))
        #expect(found.text["domain/name"] == "ab")
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
