internal import Foundation
internal import Guest
internal import XML

/// An OVF document's parts. Elements and attributes go by their namespaces, whatever prefix a producer chose.
struct OVFEnvelope {
    struct File {
        var href: String
        /// In bytes.
        var size: UInt64?
        /// In bytes; the file is in pieces "href.000000000" and so on.
        var chunkSize: UInt64?
        var compression: String?
    }

    struct Disk {
        var id: String
        var fileReference: String?
        /// In bytes.
        var capacity: UInt64?
        var parent: String?
        /// oVirt's own: the bus, and whether the machine starts from it.
        var interface: String?
        var boots: Bool
    }

    let root: XMLElement
    /// By their ids.
    let files: [String: File]
    /// In the document's order.
    let disks: [Disk]
    /// Machines, those in collections of machines, too.
    let systems: [XMLElement]

    init(_ bytes: [UInt8], name: String) throws {
        let document: XMLDocument
        do {
            document = try XMLDocument(parsing: bytes, limit: HostFile.documentLimit)
        } catch {
            throw DescriptionFailure("could not read '\(name)': \(error)", hint: "export the machine anew")
        }
        root = document.root
        guard Self.isEnvelope(root) else {
            throw DescriptionFailure(
                "'\(name)' is no OVF: its root is '\(root.name)'", hint: "name the .ovf file of the machine")
        }
        // Exporters give no two files one id; of a hostile document's the first counts.
        files = Dictionary(
            (root.first("References")?.all("File") ?? []).compactMap { file in
                guard let id = file.ovf("id"), let href = file.ovf("href") else { return nil }
                return (
                    id,
                    File(
                        href: href, size: file.ovf("size").flatMap { UInt64($0) },
                        chunkSize: file.ovf("chunkSize").flatMap { UInt64($0) }, compression: file.ovf("compression"))
                )
            }, uniquingKeysWith: { first, _ in first })
        disks = root.sections("DiskSection").flatMap { $0.all("Disk") }.compactMap(Self.disk)
        systems = Self.systems(in: root, depth: 0)
    }

    static func isEnvelope(_ root: XMLElement) -> Bool {
        root.name == "Envelope" && (root.namespace.map { $0.lowercased().contains("ovf") } ?? true)
    }

    private static func disk(_ element: XMLElement) -> Disk? {
        guard let id = element.ovf("diskId") else { return nil }
        let named = element.ovf("capacityAllocationUnits").flatMap { AllocationUnits.bytes($0) }
        // oVirt counts in GiB and has "size", too.
        let unit = named ?? (element.ovf("size") != nil ? 1 << 30 : 1)
        return Disk(
            id: id, fileReference: element.ovf("fileRef"),
            capacity: AllocationUnits.bytes(element.ovf("capacity") ?? element.ovf("size"), of: unit),
            parent: element.ovf("parentRef").flatMap { $0.isEmpty ? nil : $0 },
            interface: element.ovf("disk-interface"),
            boots: element.ovf("boot")?.lowercased() == "true")
    }

    private static func systems(in element: XMLElement, depth: Int) -> [XMLElement] {
        guard depth < 8 else { return [] }
        return element.children.flatMap { child in
            switch child.name {
            // oVirt calls it Content.
            case "VirtualSystem", "Content": [child]
            case "VirtualSystemCollection": systems(in: child, depth: depth + 1)
            default: [XMLElement]()
            }
        }
    }

    /// The configuration that items with a configuration are taken for.
    var configuration: String? {
        let all = root.sections("DeploymentOptionSection").flatMap { $0.all("Configuration") }
        return (all.first { $0.ovf("default")?.lowercased() == "true" } ?? all.first)?.ovf("id")
    }
}

extension XMLElement {
    /// An attribute in OVF's namespace, of whatever version, or in none.
    func ovf(_ name: String) -> String? {
        // http://schemas.dmtf.org/ovf/envelope/1 and 2, oVirt's with a slash, http://www.vmware.com/schema/ovf/1/envelope
        attribute(name) { $0?.contains("envelope") == true } ?? self[name]
    }

    /// An attribute in any namespace.
    func any(_ name: String) -> String? { attribute(name) { _ in true } }

    /// A child's text; nil where it is empty.
    func value(_ name: String) -> String? {
        guard let text = first(name)?.text.trimmingCharacters(in: .whitespacesAndNewlines), !text.isEmpty else {
            return nil
        }
        return text
    }

    /// Sections by their names; oVirt writes <Section xsi:type="ovf:DiskSection_Type">.
    func sections(_ name: String) -> [XMLElement] {
        children.filter { child in
            child.name == name
                || child.name == "Section"
                    && child.any("type")?.split(separator: ":").last.map(String.init) == name + "_Type"
        }
    }
}
