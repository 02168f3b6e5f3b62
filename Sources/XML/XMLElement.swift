internal import CXML2

/// An element of an ``XMLDocument``. One that was removed must not be used again.
public struct XMLElement {
    let document: XMLDocument
    let node: xmlNodePtr

    /// Without its prefix.
    public var name: String { XMLDocument.text(node.pointee.name) ?? "" }

    /// Its namespace's URI.
    public var namespace: String? { node.pointee.ns.flatMap { XMLDocument.text($0.pointee.href) } }

    // MARK: Reading

    public var children: [XMLElement] {
        var found: [XMLElement] = []
        var next = node.pointee.children
        while let child = next {
            if child.pointee.type == XML_ELEMENT_NODE { found.append(XMLElement(document: document, node: child)) }
            next = child.pointee.next
        }
        return found
    }

    /// By the name without prefix, whatever the namespace.
    public func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    public func first(_ name: String) -> XMLElement? { all(name).first }

    /// All text in it, that of its children included.
    public var text: String {
        // A copy, which is ours to free.
        let raw = xmlNodeGetContent(node)
        defer { rehost_xml_free(raw) }
        return XMLDocument.text(raw) ?? ""
    }

    /// An attribute in no namespace, as most are.
    public subscript(attribute: String) -> String? {
        get {
            let raw = xmlGetNoNsProp(node, attribute)
            defer { rehost_xml_free(raw) }
            return XMLDocument.text(raw)
        }
        nonmutating set { set(attribute, newValue) }
    }

    /// An attribute by its name without prefix, in a namespace whose URI is accepted; the URI is nil for none.
    public func attribute(_ name: String, where isAccepted: (String?) -> Bool) -> String? {
        var next = node.pointee.properties
        while let attribute = next {
            next = attribute.pointee.next
            let uri = attribute.pointee.ns.flatMap { XMLDocument.text($0.pointee.href) }
            guard XMLDocument.text(attribute.pointee.name) == name, isAccepted(uri) else { continue }
            // A copy, which is ours to free.
            let raw = xmlNodeListGetString(document.raw, attribute.pointee.children, 1)
            defer { rehost_xml_free(raw) }
            return XMLDocument.text(raw) ?? ""
        }
        return nil
    }

    // MARK: Building

    /// Adds a child at the end and returns it.
    /// - Parameter namespace: the parent's where nil.
    @discardableResult
    public func add(
        _ name: String, _ text: String? = nil, _ attributes: KeyValuePairs<String, String> = [:],
        in namespace: XMLNamespace? = nil
    ) -> XMLElement {
        // xmlNewTextChild escapes the text and inherits the parent's namespace. Out of memory is its only failure.
        let declared = namespace.flatMap { document.declared($0) }
        guard let child = xmlNewTextChild(node, declared, name, text.map(Self.allowed)) else { return self }
        let element = XMLElement(document: document, node: child)
        for (name, value) in attributes { element.set(name, value) }
        return element
    }

    /// Sets an attribute, or takes it away where the value is nil.
    /// - Parameter namespace: one with a prefix; none where nil.
    public func set(_ name: String, _ value: String?, in namespace: XMLNamespace? = nil) {
        let declared = namespace.flatMap { document.declared($0) }
        guard let value else {
            if let attribute = xmlHasNsProp(node, name, namespace?.uri) { xmlRemoveProp(attribute) }
            return
        }
        xmlSetNsProp(node, declared, name, Self.allowed(value))
    }

    /// Removes all children but these; text between them goes, too.
    public func keep(_ isKept: (XMLElement) -> Bool) {
        var next = node.pointee.children
        while let child = next {
            next = child.pointee.next
            if child.pointee.type == XML_ELEMENT_NODE, isKept(XMLElement(document: document, node: child)) { continue }
            // Unlinked, it has no other owner than this line.
            xmlUnlinkNode(child)
            xmlFreeNode(child)
        }
    }

    /// XML 1.0 has no way to write most control characters, nor two of Unicode's non-characters; they are left out.
    static func allowed(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    ($0.value >= 32 && $0.value != 127 && $0.value != 0xFFFE && $0.value != 0xFFFF)
                        || $0 == "\t" || $0 == "\n" || $0 == "\r"
                }))
    }
}
