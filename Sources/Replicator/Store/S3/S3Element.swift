internal import XML

/// An element of an answer, with all that is in it, as a value.
struct S3Element: Sendable {
    var name: String
    var text: String
    var children: [S3Element] = []

    /// S3's own answers are four deep at most.
    private static let depth = 16

    /// The root of a document; nil where the bytes are none that is taken.
    /// - Parameter limit: in bytes.
    init?(parsing bytes: [UInt8], limit: Int) {
        guard !bytes.isEmpty, let root = try? XMLDocument(parsing: bytes, limit: limit).root else { return nil }
        self.init(root, Self.depth)
    }

    private init?(_ element: XMLElement, _ depth: Int) {
        guard depth > 0 else { return nil }
        name = element.name
        let inner = element.children
        text = inner.isEmpty ? element.text : ""
        for child in inner {
            guard let child = S3Element(child, depth - 1) else { return nil }
            children.append(child)
        }
    }

    func all(_ name: String) -> [S3Element] { children.filter { $0.name == name } }

    /// Of the first child that is named so.
    func text(_ name: String) -> String? { children.first { $0.name == name }?.text }
}
