internal import Guest

/// Whether a Windows left its memory on the disk, to go on from there: its file systems aren't to be touched then.
enum Hibernation {
    /// - Returns: what was found, and what its owner can do.
    static func find(in files: any GuestFiles) throws -> (message: String, wayOut: String)? {
        // The file stays when Windows has started from it; only its first bytes tell. They are "wake" or zeros then.
        guard let start = try files.start(ofFile: files.resolve("/hiberfil.sys"), count: 4),
            String(decoding: start, as: UTF8.self).lowercased() == "hibr"
        else { return nil }
        return (
            "its memory is saved in 'hiberfil.sys', by hibernation or fast startup",
            "start the source, run 'shutdown /s /f /t 0' there, which leaves nothing behind, and capture it again"
        )
    }
}
