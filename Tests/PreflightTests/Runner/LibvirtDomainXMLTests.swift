import Converter
import Descriptions
import Foundation
import Guest
import Host
import Libvirt
import Testing
import XML

@testable import Preflight

/// The domain that a boot test gives to libvirt; no libvirt is asked.
@Suite struct LibvirtDomainXMLTests {
    private let files = MachineFiles(folder: "/work, & more")

    private func description(_ machine: Machine, disks: Int = 1, models: [String] = []) -> LibvirtDomainXML {
        LibvirtDomainXML(
            name: "rehost-preflight-1-x", machine: machine, accelerator: .tcg,
            disks: (0..<disks).map { files.overlay($0) }, files: files, firmware: nil, securityModels: models,
            userID: 1000, groupID: 1001)
    }

    private func parsed(_ xml: String) throws -> XMLElement {
        try WrittenDomain.document(Array(xml.utf8)).root
    }

    private func options(_ domain: XMLElement) -> [String] {
        domain.first("commandline")?.all("arg").compactMap { $0["value"] } ?? []
    }

    /// As `convert` writes it for two disks, the second of which boots.
    private func converted(_ firmware: Firmware, _ bus: Adaptation.DiskBus) throws -> WrittenDomain {
        let guest = Inspection(
            osRelease: OSRelease(id: "debian"), architecture: "x86_64", hostName: nil, firmware: firmware, disks: [],
            fileSystems: [], mounts: [], kernels: [], bootLoader: .unknown, networkFormats: [], tools: [])
        let domain = LibvirtDomain(
            ConvertedMachine(
                from: nil, named: "web01", guest: guest, firmware: firmware,
                bus: bus == .virtioBlk ? .virtioBlk : .virtioSCSI,
                disks: [
                    .init(path: "/out/web01.qcow2", format: "qcow2", size: 1 << 30),
                    .init(path: "/out/data.raw", format: "raw", size: 1 << 30),
                ], bootDisk: 1), accelerator: .kvm)
        return try WrittenDomain([UInt8](domain.xml()), path: "/out/web01.qcow2.xml")
    }

    @Test(
        arguments: [Firmware.bios, .uefi], [Adaptation.DiskBus.virtioBlk, .virtioSCSI])
    func theDomainThatConvertWritesGivesTheMachine(firmware: Firmware, bus: Adaptation.DiskBus) throws {
        var expected = Machine()
        expected.firmware = firmware == .uefi ? .uefi : .bios
        expected.bus = bus == .virtioBlk ? .virtioBlk : .virtioSCSI
        expected.bootDisk = 1
        expected.memoryMiB = 2048
        expected.processors = 2
        let written = try converted(firmware, bus)
        #expect(written.machine == expected)
        #expect(written.fits(expected, diskCount: 2))
        #expect(!written.fits(expected, diskCount: 1))
        expected.memoryMiB = 512
        #expect(written.fits(expected, diskCount: 2))
        expected.chipset = .pc
        #expect(!written.fits(expected, diskCount: 2))
    }

    @Test func theDomainThatConvertWritesIsTheOneThatBoots() throws {
        let written = try converted(.bios, .virtioSCSI)
        let domain = try parsed(description(written.machine, disks: 2).xml(from: written))
        #expect(domain["type"] == "qemu")
        #expect(domain.first("name")?.text == "rehost-preflight-1-x")
        #expect(domain.all("name").count == 1 && domain.first("uuid") == nil)
        #expect(domain.first("memory")?.text == "2048" && domain.first("vcpu")?.text == "2")
        #expect(domain.first("os")?.first("type")?["machine"] == "q35")
        #expect(domain.first("features")?.children.map(\.name) == ["acpi", "apic"])
        // What it says of the processor is for KVM.
        #expect(domain.first("cpu")?["mode"] == "maximum")
        let devices = try #require(domain.first("devices"))
        #expect(devices.children.map(\.name) == ["disk", "disk", "controller", "video", "memballoon", "rng"])
        #expect(devices.first("controller")?["model"] == "virtio-scsi")
        let disks = devices.all("disk")
        #expect(disks.map { $0.first("source")?["file"] } == [files.overlay(0), files.overlay(1)])
        #expect(disks.map { $0.first("driver")?["type"] } == ["qcow2", "qcow2"])
        #expect(disks.map { $0.first("driver")?["cache"] } == ["unsafe", "unsafe"])
        #expect(disks.map { $0.first("target")?["dev"] } == ["sda", "sdb"])
        #expect(disks.map { $0.first("target")?["bus"] } == ["scsi", "scsi"])
        #expect(disks.map { $0.first("boot")?["order"] } == ["2", "1"])
    }

    @Test func aMachineWithoutOneGetsTheLike() throws {
        var machine = Machine()
        machine.chipset = .pc
        machine.bus = .sata
        machine.bootDisk = 1
        machine.memoryMiB = 512
        let domain = try parsed(description(machine, disks: 3).xml(from: nil))
        #expect(domain.first("os")?.first("type")?["machine"] == "pc")
        #expect(domain.first("memory")?.text == "512")
        #expect(domain.first("cpu")?["mode"] == "maximum")
        let disks = domain.first("devices")?.all("disk") ?? []
        #expect(disks.map { $0.first("target")?["dev"] } == ["sda", "sdb", "sdc"])
        #expect(disks.map { $0.first("boot")?["order"] } == ["2", "1", "4"])
        // Read back, it is the machine, but for the card, which is no part of libvirt's.
        machine.card = .none
        let text = try description(machine, disks: 3).xml(from: nil)
        #expect(try WrittenDomain(Array(text.utf8), path: "x.xml").machine == machine)
    }

    @Test func theGuestHasNoWayOut() throws {
        let domain = try parsed(description(Machine()).xml(from: converted(.bios, .virtioBlk)))
        #expect(domain.first("devices")?.first("interface") == nil)
        let options = options(domain)
        #expect(options.contains { $0.hasPrefix("user,id=net,restrict=on,net=10.0.2.0/24,") })
        #expect(options.contains { $0.hasPrefix("virtio-net-pci,netdev=net,") && $0.hasSuffix(",addr=0x18") })
        #expect(options.contains("filter-dump,id=packets,netdev=net,file=/work,, & more/network.pcap"))
        #expect(options.starts(with: ["-machine", "graphics=off"]))
    }

    @Test func nothingGetsAnotherOwner() throws {
        let labels = try parsed(description(Machine(), models: ["none", "dac", "apparmor"]).xml(from: nil))
            .all("seclabel")
        #expect(labels.map { $0["model"] } == ["dac", "apparmor"])
        #expect(labels[0]["type"] == "static" && labels[0]["relabel"] == "no")
        #expect(labels[0].first("label")?.text == "+1000:+1001")
        #expect(labels[1]["type"] == "none")
    }

    @Test func uefiHasVariablesOfItsOwn() throws {
        let written = try converted(.uefi, .virtioBlk)
        var description = description(written.machine, disks: 2)
        // Any host's; the files aren't read here.
        guard let firmware = try? UEFIFirmware() else { return }
        description.firmware = firmware
        let domain = try parsed(description.xml(from: written))
        let system = try #require(domain.first("os"))
        #expect(system["firmware"] == nil)
        #expect(system.first("loader")?.text == firmware.code && system.first("loader")?["type"] == "pflash")
        #expect(system.first("nvram")?.text == files.variables)
        #expect(!options(domain).contains("graphics=off"))
    }

    /// A file beside an image may be anybody's.
    @Test func aForeignDomainReachesNothingOfThisHost() throws {
        let text = """
            <domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><uuid>x</uuid>
            <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><kernel>/boot/vmlinuz</kernel>
            <loader>/tmp/evil</loader></os><memory>1048576</memory><memoryBacking><source type='file'/></memoryBacking>
            <devices><emulator>/tmp/evil</emulator>
            <disk type='block' device='disk'><source dev='/dev/sda'/><target dev='vda' bus='virtio'/></disk>
            <disk type='file' device='cdrom'><source file='/etc/shadow'/><target dev='sdb' bus='sata'/></disk>
            <filesystem><source dir='/'/><target dir='all'/></filesystem><hostdev mode='subsystem' type='pci'/>
            <serial type='tcp'><source mode='connect' host='evil' service='1'/></serial>
            <rng model='virtio'><backend model='random'>/dev/sda</backend></rng><interface type='bridge'>
            <mac address='52:54:00:AB:CD:EF'/><model type='e1000e'/></interface></devices>
            <qemu:commandline><qemu:arg value='-evil'/></qemu:commandline></domain>
            """
        let written = try WrittenDomain(Array(text.utf8), path: "x.xml")
        #expect(written.machine.firmware == .uefi && written.machine.memoryMiB == 1024)
        #expect(written.machine.card == .e1000e && written.machine.mac == "52:54:00:ab:cd:ef")
        let xml = try description(written.machine).xml(from: written)
        let words = [
            "evil", "/dev/sda", "shadow", "vmlinuz", "hostdev", "filesystem", "memoryBacking", "cdrom", "uuid",
        ]
        for word in words { #expect(!xml.contains(word), "\(word)") }
        #expect(try parsed(xml).first("devices")?.all("disk").count == 1)
    }

    @Test(
        arguments: [
            ("", "line 1: Document is empty"), ("<domain>", "line 1: Premature end of data in tag domain line 1"),
            ("<network/>", "it is no libvirt domain"),
            (
                "<!DOCTYPE domain [<!ENTITY x SYSTEM '/etc/passwd'>]><domain>&x;</domain>",
                "it has a DTD, which isn't read"
            ),
            ("<domain><os><type arch='aarch64'>hvm</type></os></domain>", "it is for no x86-64 machine"),
            (
                "<domain><os><type>hvm</type></os></domain>",
                "its first disk is on none of the buses virtio, scsi and sata"
            ),
        ])
    func whatIsNoDomainIsRefused(text: String, reason: String) {
        let refused = #expect(throws: WrittenDomain.Unusable.self) {
            try WrittenDomain(Array(text.utf8), path: "/x.xml")
        }
        #expect(refused?.reason == reason)
        #expect(refused?.description.contains("\nhint: ") == true)
    }
}

@Suite struct LibvirtConnectionTests {
    @Test(arguments: [
        "qemu:///system", "qemu:///session", "qemu:///embed?root=/tmp/x", "qemu+unix:///system?socket=/s",
    ])
    func aLibvirtOfThisHostIsTaken(uri: String) throws { try LibvirtConnection.check(uri) }

    @Test(
        arguments: [
            "qemu+ssh://host/system", "qemu+ssh:///system", "qemu+tcp://host/system", "qemu://host/system", "xen:///",
            "test:///default", "", "not a uri",
        ])
    func othersAreRefused(uri: String) {
        let refused = #expect(throws: LibvirtConnection.Failure.self) { try LibvirtConnection.check(uri) }
        #expect(refused?.description.contains("\nhint: ") == true)
    }

    @Test func leftoversAreThoseOfProcessesThatAreGone() {
        #expect(!LibvirtDomainName.isLeftover(LibvirtDomainName.new()))
        // Above the largest number that Linux gives (proc(5), pid_max).
        #expect(LibvirtDomainName.isLeftover("rehost-preflight-4194999-0badcafe"))
        #expect(!LibvirtDomainName.isLeftover("rehost-preflight-web01"))
        #expect(!LibvirtDomainName.isLeftover("web01"))
    }
}
