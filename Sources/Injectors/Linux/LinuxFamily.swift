public import Guest

/// A family of Linux distributions: what its files can't tell. How a guest is converted is decided by what is in it;
/// one of no family that is known by name converts just so.
public struct LinuxFamily: Sendable {
    /// In reports; never renamed: "rhel".
    public var name: String
    /// os-release's ID of each member, and of what others say that they are like.
    var ids: Set<String>
    /// The package that brings a kernel with virtio drivers, for a hint.
    var kernelPackage: String?
    /// Its systems in the support table.
    var systems: [System]

    /// A system that is, or is expected to be, converted.
    struct System: Sendable {
        var name: String
        var versions: String
        var evidence: Evidence
    }

    /// How it is known that such systems convert.
    enum Evidence: Sendable {
        /// Converted guests were booted: what they were. docs/how-to/proved-guests.md has them with their commands.
        case boot(String)
        /// Trees in Tests/Fixtures/guests, laid out as the system lays itself out, are converted by the tests.
        case fixture([String])
        /// It is made of the same parts as others that are tested.
        case expected
    }

    static let generic = LinuxFamily(
        name: "linux", ids: [], kernelPackage: nil,
        systems: [System(name: "Others", versions: "any", evidence: .fixture(["unknown-1"]))])

    /// By ID, then by what the system says that it is like, the nearest first.
    public static func of(_ release: OSRelease) -> LinuxFamily {
        for id in [release.id] + release.like {
            if let family = all.first(where: { $0.ids.contains(id.lowercased()) }) { return family }
        }
        // "opensuse-leap", "opensuse-tumbleweed", and whatever comes after them.
        return all.first { family in family.ids.contains { release.id.hasPrefix($0 + "-") } } ?? generic
    }
}
