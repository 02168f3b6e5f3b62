internal import CXML2
public import Foundation

/// An XML document, read or built by libxml2. It owns its nodes and frees them all; elements keep it alive. For one task
/// at a time.
public final class XMLDocument {
    /// Why bytes are no document that is taken.
    public struct Invalid: Error, CustomStringConvertible {
        public var reason: String

        public init(_ reason: String) { self.reason = reason }

        public var description: String { reason }
    }

    /// libxml2 isn't safe in several threads before this.
    private static let isReady: Void = xmlInitParser()

    let raw: xmlDocPtr
    private let rootNode: xmlNodePtr

    /// Reads a document. No file or address is opened for it, and one with a DTD, the place of all entities, is refused
    /// where the DTD starts. libxml2 itself ends at a depth of 256 and at texts of 10 MB.
    /// - Parameter limit: in bytes. A tree takes up to 40 times as much memory.
    /// - Throws: ``Invalid``
    public init(parsing bytes: [UInt8], limit: Int = 1 << 20) throws {
        _ = Self.isReady
        guard bytes.count <= limit else { throw Invalid("it has \(bytes.count) bytes, more than \(limit)") }
        guard let context = xmlNewParserCtxt() else { throw Invalid("out of memory") }
        defer { xmlFreeParserCtxt(context) }
        // The callback gets the context as its first argument, and stops it before the DTD is read.
        context.pointee.sax.pointee.internalSubset = { context, _, _, _ in
            xmlStopParser(context?.assumingMemoryBound(to: xmlParserCtxt.self))
        }
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
        // libxml2 copies the bytes.
        let parsed = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                xmlCtxtReadMemory(context, $0.baseAddress, Int32(clamping: $0.count), nil, nil, Int32(options))
            }
        }
        guard let parsed else { throw Invalid(Self.reason(context)) }
        guard let root = xmlDocGetRootElement(parsed), xmlGetIntSubset(parsed) == nil else {
            // What was stopped has no element.
            xmlFreeDoc(parsed)
            throw Invalid("it has a DTD, which isn't read")
        }
        raw = parsed
        rootNode = root
    }

    /// A new document with one element.
    /// - Parameters:
    ///   - namespace: of the root, and of all that is added without another one.
    ///   - declaring: further namespaces, which need a prefix.
    public init(root name: String, in namespace: XMLNamespace? = nil, declaring further: [XMLNamespace] = []) {
        _ = Self.isReady
        // Out of memory is the only failure.
        guard let document = xmlNewDoc("1.0"), let root = xmlNewNode(nil, name) else { fatalError("out of memory") }
        xmlDocSetRootElement(document, root)
        raw = document
        rootNode = root
        if let namespace { xmlSetNs(root, xmlNewNs(root, namespace.uri, namespace.prefix)) }
        for namespace in further { xmlNewNs(root, namespace.uri, namespace.prefix) }
    }

    deinit { xmlFreeDoc(raw) }

    public var root: XMLElement { XMLElement(document: self, node: rootNode) }

    /// UTF-8, with a declaration, indented.
    public func serialized() -> Data {
        var text: UnsafeMutablePointer<xmlChar>?
        var length: Int32 = 0
        xmlDocDumpFormatMemoryEnc(raw, &text, &length, "UTF-8", 1)
        guard let text else { return Data() }
        defer { rehost_xml_free(text) }
        return Data(bytes: text, count: Int(length))
    }

    /// The root declares what isn't declared yet.
    func declared(_ namespace: XMLNamespace) -> xmlNsPtr? {
        if let known = xmlSearchNs(raw, rootNode, namespace.prefix), Self.text(known.pointee.href) == namespace.uri {
            return known
        }
        return xmlNewNs(rootNode, namespace.uri, namespace.prefix)
    }

    static func text(_ raw: UnsafePointer<xmlChar>?) -> String? { raw.map { String(cString: $0) } }

    /// libxml2's own words, which belong to the context.
    private static func reason(_ context: xmlParserCtxtPtr) -> String {
        let error = context.pointee.lastError
        guard let message = error.message else { return "it is no XML" }
        let words = String(cString: message).split(separator: "\n").first ?? "it is no XML"
        return "line \(error.line): \(words)"
    }
}
