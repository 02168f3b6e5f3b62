/// Several devices that make one: an md array or an LVM volume group.
public struct VolumeSet: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case array
        case volumeGroup
    }

    public var kind: Kind
    /// As the set knows itself: "web01:root" for an array with a host's name, "vg0" for a volume group.
    public var name: String
    /// In the words of the tool that made it: "0d6b7a4c:…" for an array.
    public var uuid: String
    /// Where an array is looked at: "/dev/md127"; nil for a volume group, and for an array that doesn't run.
    public var device: String?
    /// The devices that are there: "/dev/sda2".
    public var members: [String]
    /// What isn't on the given disks: "physical volume aBc…-…", "member 2 of 2".
    public var missing: [String]
    /// Whether the set knew, when it was last used, that it lacks something: a mirror that has run on one disk since.
    public var isKnownIncomplete: Bool

    public init(
        kind: Kind, name: String, uuid: String, device: String? = nil, members: [String], missing: [String] = [],
        isKnownIncomplete: Bool = false
    ) {
        self.kind = kind
        self.name = name
        self.uuid = uuid
        self.device = device
        self.members = members
        self.missing = missing
        self.isKnownIncomplete = isKnownIncomplete
    }
}

/// A subvolume of a btrfs.
public struct Subvolume: Equatable, Sendable {
    /// From the top level, without a leading slash: "@/.snapshots/1/snapshot".
    public var path: String
    /// As `subvolid=` names it.
    public var id: UInt64
    /// Whether it is mounted where none is asked for.
    public var isDefault: Bool

    public init(path: String, id: UInt64, isDefault: Bool = false) {
        self.path = path
        self.id = id
        self.isDefault = isDefault
    }
}
