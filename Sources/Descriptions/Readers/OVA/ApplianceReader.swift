internal import Foundation
internal import Guest

/// An OVF with its files: an archive, a folder, or the document itself.
enum ApplianceReader {
    static func read(archive path: String) throws -> DescribedMachine {
        let index = try TarIndex(path)
        let names = index.members.filter { $0.kind == .file }.map(\.name)
        let name = try onlyOVF(names, in: path)
        return try read(name, .archive(path, index), shown: path)
    }

    static func read(folder path: String) throws -> DescribedMachine {
        let folder = HostFile.absolute(path)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return try read(try onlyOVF(names, in: path), .folder(folder), shown: path)
    }

    static func read(document path: String) throws -> DescribedMachine {
        try read(URL(fileURLWithPath: path).lastPathComponent, .folder(HostFile.folder(of: path)), shown: path)
    }

    private static func onlyOVF(_ names: [String], in path: String) throws -> String {
        let found = names.filter { $0.lowercased().hasSuffix(".ovf") }
        guard let first = found.first else {
            throw DescriptionFailure(
                "'\(path)' holds no .ovf", hint: "name a disk file, an .ova, a folder with an .ovf, or a .vmx")
        }
        // Nearest to the top; more of them there are more machines.
        let depth = found.map { $0.count { $0 == "/" } }.min() ?? 0
        let top = found.filter { $0.count { $0 == "/" } == depth }
        guard top.count == 1 else {
            throw DescriptionFailure(
                "'\(path)' holds several: \(top.prefix(20).joined(separator: ", "))",
                hint: "unpack it where it is an archive, and name one of them")
        }
        return top.first ?? first
    }

    private static func read(_ name: String, _ files: ApplianceFiles, shown: String) throws -> DescribedMachine {
        guard let part = try files.part(name) else {
            throw DescriptionFailure("could not open '\(name)'", hint: "check the path")
        }
        let envelope = try OVFEnvelope(try HostFile.document(part, name: name), name: shown)
        // References start from the OVF, which need not be at the archive's top.
        let base = name.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        var described = try OVFReader(envelope: envelope, files: base.isEmpty ? files : files.below(base), name: shown)
            .read()
        try addChecksums(name, files, shown, &described)
        return described
    }

    /// The manifest has the OVF's name with another ending.
    private static func addChecksums(
        _ name: String, _ files: ApplianceFiles, _ shown: String, _ described: inout DescribedMachine
    ) throws {
        let base = name.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        let wanted = base + HostFile.stem(name) + ".mf"
        let path = files.names(startingWith: base).first { $0.lowercased() == wanted.lowercased() }
        guard let path, let part = try files.part(path) else { return }
        let manifest = Manifest(try HostFile.document(part, name: path))
        if let line = manifest.strangeLines.first {
            described.findings.append(
                Finding(
                    level: .warning, injector: "description",
                    message: "line \(line) of the manifest '\(path)' says nothing that is understood; what it is about"
                        + " isn't checked"))
        }
        for entry in manifest.entries {
            guard let file = try files.part(base + entry.name) else {
                described.findings.append(
                    Finding(
                        level: .warning, injector: "description",
                        message: "the manifest '\(path)' names '\(entry.name)', which is not there; it isn't checked"))
                continue
            }
            described.checksums.append(
                Checksum(algorithm: entry.algorithm, digest: entry.digest, name: entry.name, part: file))
        }
    }
}
