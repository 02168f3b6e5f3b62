internal import Foundation

extension DiskImage {
    /// Whether it is read in place, inside another file or from a server.
    public var isMember: Bool { path.hasPrefix("json:") }

    /// A disk image inside an archive, read where it is: QEMU's raw driver shows a stretch of a file as a file. Its `path`
    /// is then a specification that qemu-img takes where it takes a path.
    /// - Parameters:
    ///   - archive: absolute.
    ///   - offset: in bytes, as `size`.
    public static func open(member: String, of archive: String, offset: UInt64, size: UInt64) async throws -> DiskImage
    {
        let title = "\(archive): \(member)"
        let stretch: [String: Any] = [
            "driver": "raw", "offset": offset, "size": size, "file": ["driver": "file", "filename": archive],
        ]
        // Without a driver on top the format is found out.
        let chain = try await info(try specification(["file": stretch]), title: title)
        guard let top = chain.first else {
            throw Failure("could not read '\(title)': qemu-img says nothing about it", hint: "is it a disk image?")
        }
        // What else it names would be another member, or a file of this host's.
        let foreign = chain.dropFirst().map(\.filename) + top.others.filter { !isStretch($0, of: archive, offset) }
        if let other = foreign.first {
            throw Failure(
                "'\(title)' names '\(other)', which is not in itself",
                hint: "unpack the archive with tar -xf, and name the .ovf in it")
        }
        return DiskImage(
            path: try specification(["driver": top.format, "file": stretch]), format: top.format,
            virtualSize: top.virtualSize, allocatedSize: min(size, top.actualSize), title: title, files: [archive])
    }

    /// A disk that a server on this host shows over NBD.
    /// - Parameters:
    ///   - socket: absolute.
    ///   - allocated: in bytes, what of it isn't zeros.
    public static func open(
        export: String, on socket: String, size: UInt64, allocated: UInt64, title: String
    ) throws -> DiskImage {
        let server: [String: Any] = ["type": "unix", "path": socket]
        return DiskImage(
            path: try specification([
                "driver": "raw", "file": ["driver": "nbd", "server": server, "export": export] as [String: Any],
            ]), format: "raw", virtualSize: size, allocatedSize: allocated, title: title)
    }

    private static func specification(_ object: [String: Any]) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return "json:" + String(decoding: data, as: UTF8.self)
    }

    /// A VMDK's extents are listed by name; its only one is the stretch itself, in QEMU's notation.
    private static func isStretch(_ name: String, of archive: String, _ offset: UInt64) -> Bool {
        guard name.hasPrefix("json:"),
            let object = try? JSONSerialization.jsonObject(with: Data(name.dropFirst(5).utf8)) as? [String: Any],
            let file = object["file"] as? [String: Any]
        else { return false }
        return object["driver"] as? String == "raw" && (object["offset"] as? NSNumber)?.uint64Value == offset
            && file["driver"] as? String == "file" && file["filename"] as? String == archive
    }
}
