import Foundation
import Guest
import Testing

@testable import Descriptions

@Suite struct DomainTests {
    private func read(_ text: String) throws -> DescribedMachine {
        try DomainReader(name: "/vms/web01.xml", folder: "/vms") { pool, volume in
            pool == "default" ? "/pool/\(volume)" : nil
        }.read(Array(text.utf8))
    }

    @Test func libvirt() throws {
        let described = try read(
            """
            <domain type='kvm' id='3'>
              <name>web01 &amp; co</name>
              <memory>4194304</memory><currentMemory unit='KiB'>1</currentMemory>
              <vcpu placement='static'>8</vcpu>
              <cpu><topology sockets='2' dies='1' cores='2' threads='2'/></cpu>
              <os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type>
                <firmware><feature enabled='yes' name='secure-boot'/></firmware></os>
              <devices>
                <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='web01.qcow2'/>
                  <target dev='vda' bus='virtio'/><boot order='2'/></disk>
                <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
                <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/>
                  <target dev='sdb' bus='scsi'/><boot order='1'/><address type='drive' controller='1' unit='0'/></disk>
                <disk type='volume' device='disk'><driver type='raw'/><source pool='default' volume='v1'/>
                  <target dev='hda' bus='ide'/></disk>
                <disk type='file' device='floppy'><source file='/f.img'/><target dev='fda' bus='fdc'/></disk>
                <controller type='scsi' index='0' model='lsilogic'/>
                <controller type='scsi' index='1' model='virtio-scsi'/>
                <interface type='network'><mac address='52:54:00:AA:BB:CC'/><source network='default'/>
                  <model type='virtio'/></interface>
                <interface type='bridge'><source bridge='br0'/><model type='e1000'/></interface>
                <interface type='user'/>
              </devices>
            </domain>
            """)
        let machine = described.machine
        #expect(machine.name == "web01 & co")
        #expect(machine.hypervisor == "kvm")
        #expect(machine.memory == 4 << 30)
        #expect(machine.processors == 8)
        #expect(machine.topology == .init(sockets: 2, coresPerSocket: 2, threadsPerCore: 2))
        #expect(machine.firmware == .uefi)
        #expect(machine.secureBoot == true)
        #expect(machine.disks.map(\.file) == ["/vms/web01.qcow2", "/dev/null", "/pool/v1"])
        #expect(machine.disks.map(\.format) == ["qcow2", "raw", "raw"])
        #expect(machine.disks.map(\.bus) == [.virtio, .scsi, .ide])
        #expect(machine.disks.map(\.controller) == [nil, "virtio-scsi", nil])
        #expect(machine.disks.map(\.bootOrder) == [2, 1, nil])
        #expect(machine.removableDrives == [.init(kind: .cdrom, bus: .sata), .init(kind: .floppy, bus: .floppy)])
        #expect(
            machine.networkCards == [
                .init(mac: "52:54:00:aa:bb:cc", network: "default", model: "virtio"),
                .init(mac: nil, network: "br0", model: "e1000"), .init(),
            ])
        // A raw disk's first bytes are the guest's: its format must not be found out.
        #expect(described.sources.map(\.format) == ["qcow2", "raw", "raw"])
        #expect(described.sources[1].parts.count == 1)
    }

    @Test func legacyBoot() throws {
        let machine = try read(
            """
            <domain type='qemu'><name>a</name><memory unit='MB'>512</memory>
            <os><type arch='x86_64'>hvm</type><boot dev='cdrom'/><boot dev='hd'/></os>
            <devices><disk><source file='/a'/><target dev='hda' bus='ide'/></disk></devices></domain>
            """
        ).machine
        #expect(machine.memory == 512_000_000)
        #expect(machine.processors == 1)
        #expect(machine.firmware == .bios)
        #expect(machine.disks.map(\.bootOrder) == [1])
        #expect(
            try read("<domain type='kvm'><os><loader type='pflash' secure='yes'/></os></domain>").machine.firmware
                == .uefi)
    }

    @Test func units() {
        #expect(DomainReader.unit(nil) == 1024)
        #expect(DomainReader.unit("bytes") == 1)
        #expect(DomainReader.unit("KB") == 1000)
        #expect(DomainReader.unit("GiB") == 1 << 30)
        #expect(DomainReader.unit("parsec") == nil)
    }

    @Test(arguments: [
        ("<disk type='network'><source protocol='rbd' name='p/i'/><target dev='vda'/></disk>", "of the type 'network'"),
        (
            "<disk type='volume'><source pool='x' volume='y'/><target dev='vda'/></disk>",
            "the volume 'y' of the pool 'x'"
        ),
        (
            "<disk type='file'><source file='[datastore1] web/web.vmdk'/><target dev='sda'/></disk>",
            "datastore of a VMware"
        ),
        (
            "<disk><source file='/a'><encryption format='luks'/></source><target dev='sda'/></disk>",
            "encrypted by the host"
        ),
    ])
    func refusals(_ disk: String, _ words: String) {
        #expect(
            DescriptionsTests.words { try read("<domain type='kvm'><devices>\(disk)</devices></domain>") }.contains(
                words))
    }

    @Test func addresses() throws {
        let plain = try LibvirtAddress("libvirt+qemu:///system?domain=web01")
        #expect(plain.uri == "qemu:///system")
        #expect(plain.domain == "web01")
        let embedded = try LibvirtAddress("libvirt+qemu:///embed?root=/a%20b&domain=web%2001&x=1")
        #expect(embedded.uri == "qemu:///embed?root=/a%20b&x=1")
        #expect(embedded.domain == "web 01")
        #expect(words { try LibvirtAddress("libvirt+qemu:///system") }.contains("names no domain"))
        #expect(words { try LibvirtAddress("libvirt+?domain=x") }.contains("names no domain"))
    }

    /// libvirt's own test driver, in this process: its domains run.
    @Test func testDriver() throws {
        #expect(
            words { try DescriptionSource.read("libvirt+test:///default?domain=test") }.contains(
                "is running: its disks are being written"))
        #expect(
            words { try DescriptionSource.read("libvirt+test:///default?domain=no") }.contains(
                "could not find the domain"))
        let folder = try Folder()
        let node = try folder.add(
            "node.xml",
            """
            <node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
            <test:runstate>5</test:runstate><name>off</name><memory unit='GiB'>2</memory><vcpu>2</vcpu>
            <os><type>hvm</type></os>
            <devices><disk type='file'><source file='/nowhere/a.img'/><target dev='vda' bus='virtio'/></disk></devices>
            </domain></node>
            """)
        let described = try #require(try DescriptionSource.read("libvirt+test://\(node)?domain=off"))
        #expect(described.machine.name == "off")
        #expect(described.machine.memory == 2 << 30)
        #expect(described.machine.disks.map(\.file) == ["/nowhere/a.img"])
    }

    @Test func kinds() throws {
        let folder = try Folder()
        try folder.add("a.img", "just a disk")
        #expect(try folder.describe("a.img") == nil)
        #expect(try folder.describe("nothing") == nil)
        try folder.add(
            "descriptor.vmdk", "# Disk DescriptorFile\nversion=1\nCID=fffffffe\ncreateType=\"monolithicFlat\"\n")
        #expect(try folder.describe("descriptor.vmdk") == nil)
        try folder.add("settings", "\u{FEFF}config.version = \"8\"\n")
        #expect(try folder.describe("settings")?.machine.name == "settings")
        try folder.add("domain", "\n  <domain><name>x</name></domain>")
        #expect(try folder.describe("domain")?.machine.name == "x")
        try folder.add("a.vmx", [0, 1, 2])
        #expect(words { try folder.describe("a.vmx") }.contains("doesn't hold what its name says"))
    }
}
