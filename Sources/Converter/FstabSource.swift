internal import Guest

extension [FileSystem] {
    /// The file system that a first field of fstab means.
    func meant(by source: String) -> FileSystem? {
        let parts = source.split(separator: "=", maxSplits: 1).map { String($0).trimming("\"'") }
        if parts.count == 2 {
            return switch parts[0].uppercased() {
            case "UUID": first { $0.uuid?.lowercased() == parts[1].lowercased() }
            case "LABEL": first { $0.label == parts[1] }
            case "PARTUUID": first { $0.partitionUUID?.lowercased() == parts[1].lowercased() }
            default: nil
            }
        }
        for (folder, tag) in [("/dev/disk/by-uuid/", "UUID"), ("/dev/disk/by-label/", "LABEL")]
        where source.hasPrefix(folder) {
            return meant(by: "\(tag)=\(source.dropFirst(folder.count))")
        }
        if source.hasPrefix("/dev/mapper/") {
            // Device mapper writes a volume's dashes twice, and one between group and volume.
            let name = source.dropFirst("/dev/mapper/".count)
            return first { system in
                let parts = system.device.split(separator: "/").dropFirst()
                return system.device == source
                    || parts.map { $0.replacing("-", with: "--") }.joined(separator: "-") == name
            } ?? encrypted
        }
        let names = ["hd", "vd", "xvd"].compactMap { prefix in
            source.hasPrefix("/dev/" + prefix) ? "/dev/sd" + source.dropFirst(5 + prefix.count) : nil
        }
        return first { $0.device == source || names.contains($0.device) }
    }

    /// The one unlocked device, whatever the guest's crypttab calls it.
    private var encrypted: FileSystem? {
        let unlocked = filter { $0.device.hasPrefix("/dev/mapper/rehost-") && $0.type != "LVM2_member" }
        return unlocked.count == 1 ? unlocked.first : nil
    }
}
