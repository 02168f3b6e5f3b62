internal import Guest

/// What a guest builds its initramfs with, and how it is told to keep modules in it.
struct InitramfsTool: Sendable {
    var name: String
    /// The program whose presence says that the tool is in use.
    var program: GuestPath
    /// Makes the initramfs of a kernel anew: (kernel version, initramfs) → arguments.
    var rebuild: @Sendable (String, GuestPath) -> [String]
    /// Where the wish to keep modules goes.
    var dropIn: DropIn
    /// Settings that the tool copies into the initramfs: (in the guest, in the initramfs), files or folders.
    var copies: [(GuestPath, String)]

    enum DropIn: Sendable {
        /// One module a line, behind what the file has already.
        case lines(in: GuestPath)
        /// A file of its own: module names → text.
        case file(GuestPath, @Sendable ([String]) -> String)
    }

    static let all: [InitramfsTool] = [initramfsTools, dracut]

    static let initramfsTools = InitramfsTool(
        name: "initramfs-tools", program: "/usr/sbin/mkinitramfs",
        rebuild: { version, _ in ["/usr/sbin/update-initramfs", "-u", "-k", version] },
        dropIn: .lines(in: "/etc/initramfs-tools/modules"),
        copies: [("/etc/initramfs-tools/conf.d", "conf/conf.d"), ("/etc/lvm", "etc/lvm"), ("/etc/mdadm", "etc/mdadm")])

    static let dracut = InitramfsTool(
        name: "dracut", program: "/usr/bin/dracut",
        rebuild: { version, initramfs in ["/usr/bin/dracut", "--force", initramfs.description, version] },
        dropIn: .file("/etc/dracut.conf.d/rehost-virtio.conf") { modules in
            "# Written by rehost: this machine's disks are virtio devices.\n"
                + "add_drivers+=\" \(modules.joined(separator: " ")) \"\n"
        },
        copies: [
            ("/etc/lvm", "etc/lvm"), ("/etc/fstab", "etc/fstab.sys"), ("/etc/mdadm.conf", "etc/mdadm.conf"),
        ])

    static func inUse(_ files: some GuestFiles) throws -> InitramfsTool? {
        try all.first { try files.exists($0.program) }
    }

    /// Whether something is planned for settings that this tool copies.
    func hasChangedSettings(_ draft: Draft) -> Bool { copies.contains { draft.hasChanges(inside: $0.0) } }

    /// Settings that an initramfs holds and that are planned to change: (path in the initramfs, new content).
    func changedCopies(in content: Initramfs, _ draft: Draft) throws -> [(String, [UInt8])] {
        var result: [(String, [UInt8])] = []
        for (source, target) in copies {
            for copy in content.paths.sorted() where copy == target || copy.hasPrefix(target + "/") {
                let path = source.appending(String(copy.dropFirst(target.count)))
                // A file that goes can't be taken out of an archive by appending to it.
                if try draft.isChanged(path), let bytes = try draft.read(path) { result.append((copy, bytes)) }
            }
        }
        return result
    }

    /// Plans the drop-in; nothing where the modules are named already.
    func keep(_ modules: [String], in draft: inout Draft) throws {
        switch dropIn {
        case .file(let path, let text): try draft.write(path, text: text(modules))
        case .lines(let path):
            var text = try draft.text(path) ?? ""
            let named = Set(
                text.split(separator: "\n").compactMap { $0.split(whereSeparator: \.isWhitespace).first }
                    .map(String.init))
            let missing = modules.filter { !named.contains($0) }
            guard !missing.isEmpty else { return }
            if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
            text += "# Added by rehost: this machine's disks are virtio devices.\n"
            text += missing.map { $0 + "\n" }.joined()
            try draft.write(path, text: text)
        }
    }
}
