internal import Guest

extension Opening {
    /// Asks for arrays and volume groups where something on the disks is part of one.
    mutating func learnSets() throws {
        let members = fileSystems.filter { $0.type == "LVM2_member" }
        let hasArrays = fileSystems.contains { $0.type == "linux_raid_member" }
        // One physical volume whose group shows logical volumes is complete: nothing to ask for.
        let volumes = fileSystems.filter { !$0.device.hasPrefix("/dev/mapper/") && Self.isLogicalVolume($0.device) }
        guard hasArrays || members.count > 1 || (members.count == 1 && volumes.isEmpty) else { return }
        sets = try machine.volumeSets()
        try refuseNamesakes()
        for set in sets where !set.missing.isEmpty { try judge(set) }
    }

    /// "/dev/vg0/root", which has no name of a bus.
    private static func isLogicalVolume(_ device: String) -> Bool { device.split(separator: "/").count > 2 }

    /// LVM can't tell two groups of one name apart, neither here nor in the guest.
    private func refuseNamesakes() throws {
        var uuids: [String: Set<String>] = [:]
        for set in sets where set.kind == .volumeGroup && !set.name.isEmpty {
            uuids[set.name, default: []].insert(set.uuid)
        }
        guard let (name, found) = uuids.sorted(by: { $0.key < $1.key }).first(where: { $0.value.count > 1 }) else {
            return
        }
        let places = sets.filter { $0.name == name && found.contains($0.uuid) }.flatMap(\.members).sorted()
        throw Refusal(
            .blocked,
            "\(found.count) volume groups are called '\(name)', on \(places.joined(separator: " and ")): LVM can't tell"
                + " which one is meant",
            hint: "give only the disks of one system, or rename one in its own system with vgrename")
    }

    /// A mirror whose other half was not given would start from whichever half is older. One that knows that it has run
    /// alone, or doesn't run at all, harms nobody.
    private mutating func judge(_ set: VolumeSet) throws {
        if set.kind == .array, set.device != nil, !set.isKnownIncomplete { throw refusal(of: set) }
        let what = set.kind == .array ? "array" : "volume group"
        findings.append(
            Finding(
                level: .warning, injector: "inspect",
                message: "the \(what) '\(set.name)' (\(set.uuid)) lacks \(set.missing.joined(separator: ", "));"
                    + (set.device == nil
                        ? " what is on it stays as it is and won't be there when the guest starts"
                        : " it knew so before, and the guest starts without it"),
                hint: "if its disks are at hand, give them all, each with --disk"))
    }

    /// What to say where no root was found and a set lacks something.
    var incompleteSets: Refusal? {
        sets.first { !$0.missing.isEmpty }.map(refusal)
    }

    private func refusal(of set: VolumeSet) -> Refusal {
        let missing = set.missing.joined(separator: ", ")
        let there = set.members.joined(separator: ", ")
        return switch set.kind {
        case .array:
            Refusal(
                .blocked,
                "the RAID array '\(set.name)' (UUID \(set.uuid)) lacks \(missing): the disks have \(there) only",
                hint:
                    "give all disks of the guest, each with --disk; if the array is meant to run without it, let it do"
                    + " so in the source once: mdadm --manage ARRAY --fail detached --remove detached")
        case .volumeGroup:
            Refusal(
                .blocked,
                "the volume group '\(set.name)' lacks \(missing): the disks have \(there) only",
                hint: "give all disks of the guest, each with --disk")
        }
    }
}
