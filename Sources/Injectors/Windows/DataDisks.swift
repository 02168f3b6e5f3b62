public import Guest

/// Lets a Windows guest use all of its disks on the new machine, where they are on another bus: Windows servers leave disks
/// alone that appear on a bus which several machines could share.
public struct DataDisks: Injector {
    public let name = "data-disks"

    public init() {}

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows else { return }
        for service in windows.inControlSets(#"Services\partmgr"#) where try draft.exists(service) {
            let key = service.child("Parameters")
            // 1: every disk goes online.
            let old = try draft.value("SanPolicy", of: key)?.number
            guard old != 1 else { continue }
            draft.record(
                "san-policy", of: key.description, in: windows.system.file, ["SanPolicy": [old.map { "\($0)" } ?? ""]])
            try draft.set("SanPolicy", .dword(1), of: key)
        }
        try noteVanished(windows, guest, &draft)
    }

    /// What was on disks that aren't there any more.
    private func noteVanished(_ windows: WindowsInstallation, _ guest: Inspection, _ draft: inout Draft) throws {
        let letters = try DriveLetters(windows, draft)
        let vanished = letters.all.filter { !letters.mayBe($0, on: guest.disks) }
        guard !vanished.isEmpty else { return }
        let list = vanished.map { "'\($0):'" }.joined(separator: ", ")
        draft.note(
            "\(list) is on none of the disks that were given", hint: "give all disks of the guest, each with --disk")
        guard let set = windows.inControlSets(#"Control\Session Manager\Memory Management"#).first else { return }
        for file in try draft.value("PagingFiles", of: set)?.list ?? [] {
            guard let letter = file.first?.uppercased(), vanished.contains(letter), file.dropFirst().hasPrefix(":")
            else {
                continue
            }
            draft.warn(
                "a page file is on '\(letter):', which isn't there any more; Windows makes a small one on its own volume",
                hint: "set the page file anew on the converted guest")
        }
    }
}
