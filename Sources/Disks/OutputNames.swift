internal import Foundation

/// The names of the files that an output consists of.
public struct OutputNames: Sendable, Equatable {
    /// The files that hold the disks, in the guest's order. An OVA holds all of them, and is named once.
    public var disks: [String]
    /// In a package, each disk's name inside.
    public var members: [String]
    /// An OVF's manifest; nil for all else.
    public var manifest: String?

    /// "web01.qcow2", "web01-disk2.qcow2"; "web01.tar.gz", "web01-disk2.tar.gz"; for an OVF "web01-disk1.vmdk" on.
    /// - Parameter output: absolute.
    public init(_ output: String, _ format: OutputFormat, count: Int) {
        let url = URL(fileURLWithPath: output)
        let (stem, ending) = Self.parts(url.lastPathComponent)
        let folder = url.deletingLastPathComponent().path
        let beside = folder == "/" ? "/" : folder + "/"
        switch format {
        case .ovf, .ova:
            members = (0..<count).map { "\(stem)-disk\($0 + 1).vmdk" }
            disks = format == .ova ? [output] : members.map { beside + $0 }
            manifest = format == .ova ? nil : beside + stem + ".mf"
        default:
            members = []
            disks = (0..<count).map { $0 == 0 ? output : "\(beside)\(stem)-disk\($0 + 1)\(ending)" }
            manifest = nil
        }
    }

    /// A file's name without its ending, and the ending with its dot; ".tar.gz" is one.
    public static func parts(_ name: String) -> (stem: String, ending: String) {
        let whole = name.lowercased().hasSuffix(".tar.gz") ? 7 : 0
        if whole > 0, name.count > whole { return (String(name.dropLast(whole)), String(name.suffix(whole))) }
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex, name.index(after: dot) != name.endIndex else {
            return (name, "")
        }
        return (String(name[..<dot]), String(name[dot...]))
    }
}
