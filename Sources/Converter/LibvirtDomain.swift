internal import CXML2
public import Foundation
public import Guest

/// A libvirt domain that boots the converted disks (https://libvirt.org/formatdomain.html).
public struct LibvirtDomain: Sendable {
    public struct Disk: Sendable {
        /// An absolute path.
        public var path: String
        public var format: String

        public init(path: String, format: String) {
            self.path = path
            self.format = format
        }
    }

    public var name: String
    /// "kvm", or "qemu" where this host has no working KVM.
    public var type: String
    public var architecture: String
    public var firmware: Firmware
    public var bus: Adaptation.DiskBus
    public var disks: [Disk]
    public var bootDisk: Int
    public var memoryMiB = 2048
    public var processors = 2

    public init(
        name: String, type: String, architecture: String, firmware: Firmware, bus: Adaptation.DiskBus, disks: [Disk],
        bootDisk: Int
    ) {
        self.name = name
        self.type = type
        self.architecture = architecture
        self.firmware = firmware
        self.bus = bus
        self.disks = disks
        self.bootDisk = bootDisk
    }

    public func xml() throws -> Data {
        let document = Document(root: "domain")
        let domain = document.root
        domain.set("type", type)
        // XML has no way to write most control characters.
        domain.add("name", String(name.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
        domain.add("memory", "\(memoryMiB)").set("unit", "MiB")
        domain.add("vcpu", "\(processors)")
        let system = domain.add("os")
        if firmware == .uefi {
            system.set("firmware", "efi")
            // libvirt may choose a firmware with Secure Boot otherwise, under which no boot loader starts that isn't signed.
            let feature = system.add("firmware").add("feature")
            feature.set("enabled", "no")
            feature.set("name", "secure-boot")
        }
        let machine = system.add("type", "hvm")
        machine.set("arch", architecture)
        machine.set("machine", "q35")
        let features = domain.add("features")
        features.add("acpi")
        features.add("apic")
        // libvirt's own choice lacks what x86-64-v2 asks for, and RHEL 9 and its like don't start.
        let processor = domain.add("cpu")
        processor.set("mode", type == "kvm" ? "host-model" : "maximum")
        if type == "qemu" {
            // Page tables of five levels are a longer walk for each miss, which is emulated.
            let feature = processor.add("feature")
            feature.set("policy", "disable")
            feature.set("name", "la57")
        }
        domain.add("clock").set("offset", "utc")
        addDevices(to: domain.add("devices"))
        return document.serialized()
    }

    private func addDevices(to devices: Document.Element) {
        for (index, disk) in disks.enumerated() {
            let element = devices.add("disk")
            element.set("type", "file")
            element.set("device", "disk")
            let driver = element.add("driver")
            driver.set("name", "qemu")
            driver.set("type", disk.format)
            element.add("source").set("file", disk.path)
            let target = element.add("target")
            target.set("dev", (bus == .virtioBlk ? "vd" : "sd") + GuestDisk.letters(index))
            target.set("bus", bus == .virtioBlk ? "virtio" : "scsi")
            // The boot disk first; firmware tries no other before it.
            element.add("boot").set("order", "\(index == bootDisk ? 1 : index < bootDisk ? index + 2 : index + 1)")
        }
        if bus == .virtioSCSI {
            let controller = devices.add("controller")
            controller.set("type", "scsi")
            controller.set("model", "virtio-scsi")
        }
        let nic = devices.add("interface")
        nic.set("type", "network")
        nic.add("source").set("network", "default")
        nic.add("model").set("type", "virtio")
        devices.add("serial").set("type", "pty")
        let console = devices.add("console")
        console.set("type", "pty")
        devices.add("video").add("model").set("type", "vga")
        let graphics = devices.add("graphics")
        graphics.set("type", "vnc")
        graphics.set("autoport", "yes")
        let random = devices.add("rng")
        random.set("model", "virtio")
        random.add("backend", "/dev/urandom").set("model", "random")
    }
}

/// A libxml2 document. Nodes belong to the document, which frees them all; elements keep it alive.
private final class Document {
    final class Element {
        private let document: Document
        private let node: xmlNodePtr

        init(_ document: Document, _ node: xmlNodePtr) {
            self.document = document
            self.node = node
        }

        @discardableResult func add(_ name: String, _ text: String? = nil) -> Element {
            // xmlNewTextChild escapes the text; xmlNewChild wouldn't. Out of memory is the only failure.
            guard let child = xmlNewTextChild(node, nil, name, text) else { return self }
            return Element(document, child)
        }

        func set(_ name: String, _ value: String) { xmlNewProp(node, name, value) }
    }

    private let raw: xmlDocPtr?
    private let rootNode: xmlNodePtr

    init(root: String) {
        raw = xmlNewDoc("1.0")
        rootNode = xmlNewNode(nil, root)
        xmlDocSetRootElement(raw, rootNode)
    }

    deinit { xmlFreeDoc(raw) }

    var root: Element { Element(self, rootNode) }

    func serialized() -> Data {
        var text: UnsafeMutablePointer<xmlChar>?
        var length: Int32 = 0
        xmlDocDumpFormatMemoryEnc(raw, &text, &length, "UTF-8", 1)
        guard let text else { return Data() }
        defer { rehost_xml_free(text) }
        return Data(bytes: text, count: Int(length))
    }
}
