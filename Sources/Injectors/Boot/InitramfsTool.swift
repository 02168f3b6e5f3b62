internal import Guest

/// What a guest builds its initramfs with, and how it is told to keep modules in it.
struct InitramfsTool: Sendable {
    var name: String
    /// The program, by all the paths that distributions give it; it tells that the tool is installed.
    var programs: [GuestPath]
    /// What has to be there beside the program, where others have a program of that name.
    var companion: GuestPath?
    /// Files that only this tool puts into an initramfs, by the ends of their paths, or, with a slash at the end, folders.
    var signs: [String]
    /// Makes the initramfs of a kernel anew.
    var rebuild: @Sendable (Rebuild) -> [String]
    /// Where the wish to keep modules goes: the first one that the guest's tool reads.
    var dropIns: [DropIn]
    /// Settings that the tool copies into the initramfs: (in the guest, in the initramfs), files or folders.
    var copies: [(GuestPath, String)] = []

    /// What a rebuild is for.
    struct Rebuild {
        var program: GuestPath
        var kernel: Kernel
        var initramfs: GuestPath
        var modules: [String]
    }

    struct DropIn: Sendable {
        var path: GuestPath
        var style: Style
        /// A program that is a script and doesn't mention this doesn't read it; nil: every version does.
        var mention: String?

        enum Style: Sendable {
            /// One module a line, behind what the file has already.
            case lines
            /// A file of its own, or lines of our own behind what a file has: module names → text.
            case text(@Sendable ([String]) -> String)
            /// Words of a shell variable's list.
            case words(variable: String, ShellList.Brackets)
            /// Red Hat's modprobe.conf before dracut: `alias scsi_hostadapter2 virtio_blk`.
            case hostAdapters
            /// Alpine's: a file with the modules' paths, and its name in mkinitfs.conf.
            case feature(named: String, configuration: GuestPath)
        }
    }

    /// Those of an installation of which more than one can be there come by how often they are the one in use.
    static let all: [InitramfsTool] = [
        initramfsTools, dracut, mkinitcpio, mkinitfs, suseMkinitrd, redHatMkinitrd,
    ]

    /// The tool that made an initramfs, where it is installed; else the installed one.
    static func inUse(_ files: some GuestFiles, for content: Initramfs?) throws -> InitramfsTool? {
        let installed = try all.filter { try $0.program(in: files) != nil }
        guard installed.count > 1, let content else { return installed.first }
        return installed.first { tool in tool.signs.contains { content.hasSign($0) } } ?? installed.first
    }

    func program(in files: some GuestFiles) throws -> GuestPath? {
        if let companion, try !files.exists(companion) { return nil }
        return try programs.first { try files.exists($0) }
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
}

extension Initramfs {
    fileprivate func hasSign(_ sign: String) -> Bool {
        sign.hasSuffix("/") ? paths.contains { $0.hasPrefix(sign) } : holds(fileNamed: sign)
    }
}
