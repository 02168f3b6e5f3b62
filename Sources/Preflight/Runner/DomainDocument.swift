internal import CXML2

/// A libvirt domain's XML, read and changed by libxml2. The document owns its nodes and frees them all; elements keep it
/// alive, and one that was removed must not be used again. For one task at a time.
final class DomainDocument {
    struct Invalid: Error {
        var reason: String
    }

    struct Element {
        fileprivate let document: DomainDocument
        fileprivate let node: xmlNodePtr

        var name: String { DomainDocument.text(node.pointee.name) ?? "" }

        var children: [Element] {
            var found: [Element] = []
            var next = node.pointee.children
            while let child = next {
                if child.pointee.type == XML_ELEMENT_NODE { found.append(Element(document: document, node: child)) }
                next = child.pointee.next
            }
            return found
        }

        func all(_ name: String) -> [Element] { children.filter { $0.name == name } }

        func first(_ name: String) -> Element? { all(name).first }

        var text: String {
            // A copy, which is ours to free.
            let raw = xmlNodeGetContent(node)
            defer { rehost_xml_free(raw) }
            return DomainDocument.text(raw) ?? ""
        }

        subscript(attribute: String) -> String? {
            get {
                let raw = xmlGetNoNsProp(node, attribute)
                defer { rehost_xml_free(raw) }
                return DomainDocument.text(raw)
            }
            nonmutating set {
                if let newValue { xmlSetProp(node, attribute, newValue) } else { xmlUnsetProp(node, attribute) }
            }
        }

        /// - Parameter isQEMU: in libvirt's namespace for QEMU's own options.
        @discardableResult
        func add(
            _ name: String, _ text: String? = nil, _ attributes: [(String, String)] = [], isQEMU: Bool = false
        ) -> Element {
            // xmlNewTextChild escapes the text and inherits the parent's namespace. Out of memory is its only failure.
            guard let child = xmlNewTextChild(node, isQEMU ? document.qemu : nil, name, text) else { return self }
            let element = Element(document: document, node: child)
            for (name, value) in attributes { element[name] = value }
            return element
        }

        /// Removes all but these; text between them goes, too.
        func keep(_ isKept: (Element) -> Bool) {
            var next = node.pointee.children
            while let child = next {
                next = child.pointee.next
                if child.pointee.type == XML_ELEMENT_NODE, isKept(Element(document: document, node: child)) { continue }
                // Unlinked, it has no other owner than this line.
                xmlUnlinkNode(child)
                xmlFreeNode(child)
            }
        }
    }

    private static let qemuNamespace = "http://libvirt.org/schemas/domain/qemu/1.0"
    private static let sizeLimit = 1 << 20

    private let raw: xmlDocPtr
    private let rootNode: xmlNodePtr

    init(_ bytes: [UInt8]) throws {
        guard bytes.count <= Self.sizeLimit else { throw Invalid(reason: "it is larger than a domain") }
        // No network; without the options for it no DTD is loaded and no entity is replaced. libxml2 copies the bytes.
        let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
        let parsed = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                xmlReadMemory($0.baseAddress, Int32($0.count), nil, nil, options)
            }
        }
        guard let parsed else { throw Invalid(reason: "it is no XML") }
        guard let root = xmlDocGetRootElement(parsed), xmlGetIntSubset(parsed) == nil,
            Self.text(root.pointee.name) == "domain"
        else {
            xmlFreeDoc(parsed)
            throw Invalid(reason: "it is no libvirt domain")
        }
        raw = parsed
        rootNode = root
    }

    deinit { xmlFreeDoc(raw) }

    var root: Element { Element(document: self, node: rootNode) }

    /// Belongs to the root, which declares it.
    private var qemu: xmlNsPtr? {
        xmlSearchNsByHref(raw, rootNode, Self.qemuNamespace) ?? xmlNewNs(rootNode, Self.qemuNamespace, "qemu")
    }

    func serialized() -> String {
        var text: UnsafeMutablePointer<xmlChar>?
        var length: Int32 = 0
        xmlDocDumpFormatMemoryEnc(raw, &text, &length, "UTF-8", 1)
        defer { rehost_xml_free(text) }
        return Self.text(text) ?? ""
    }

    private static func text(_ raw: UnsafePointer<xmlChar>?) -> String? { raw.map { String(cString: $0) } }
}
