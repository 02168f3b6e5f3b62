import Foundation
import Testing

/// libvirt's QEMU driver in the process itself, with files of its own: no daemon is needed. One process at a time may have
/// a folder open; its machines run on in between.
struct EmbeddedLibvirt {
    /// Short: a socket's path has 107 bytes (unix(7)).
    private let root: URL

    /// The boot tests' own.
    static let preflight = EmbeddedLibvirt("preflight")

    init(_ name: String) {
        root = FileManager.default.temporaryDirectory
            .appendingPathComponent("rehost-lv-\(name.prefix(4))-\(ProcessInfo.processInfo.processIdentifier)")
    }

    var uri: String { "qemu:///embed?root=\(root.path)" }

    /// Why no machine can be made; nil where one can.
    static let obstacle: String? = {
        guard ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1" else { return nil }
        do {
            try preflight.prepare()
            // It goes with the tests' process; a later run doesn't need it.
            atexit { try? FileManager.default.removeItem(at: EmbeddedLibvirt.preflight.root) }
            let image = preflight.root.appendingPathComponent("probe.raw")
            try Data(count: 1 << 20).write(to: image)
            let tried = try Tools.rehost(
                ["preflight", image.path, "--connect", preflight.uri, "--no-witness", "--quiet"])
            guard let line = tried.errors.split(separator: "\n").first(where: { $0.hasPrefix("error: ") }) else {
                return nil
            }
            return "\(line.dropFirst(7)); needed: libvirt-daemon-driver-qemu, and the user libvirt-qemu for root"
        } catch { return "\(error)" }
    }()

    func prepare() throws {
        let folder = root.appendingPathComponent("etc")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // No daemon for logs, no namespaces and groups of the host's: it may be a container.
        let settings = """
            stdio_handler = "file"
            namespaces = []
            cgroup_controllers = []
            security_driver = "none"
            remember_owner = 0
            user = "root"
            group = "root"

            """
        try Data(settings.utf8).write(to: folder.appendingPathComponent("qemu.conf"))
    }

    /// QEMU's monitors.
    var sockets: [String] {
        let found = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix("monitor.sock") }
    }

    @discardableResult
    func virsh(_ words: String...) throws -> Tools.Result {
        try Tools.run("/usr/bin/virsh", ["--quiet", "--connect", uri] + words)
    }

    /// A backup by another program.
    /// - Returns: the first disk, restored.
    func virtnbdbackup(_ domain: String, into folder: String) throws -> String {
        // An embedded libvirt wants an event loop, which the program has no need of otherwise.
        let loop = """
            import libvirt, runpy, sys, threading
            libvirt.virEventRegisterDefaultImpl()
            def turn():
                while True: libvirt.virEventRunDefaultImpl()
            threading.Thread(target=turn, daemon=True).start()
            sys.argv = sys.argv[1:]
            runpy.run_path(sys.argv[0], run_name="__main__")
            """
        let backup = try Tools.run(
            "/usr/bin/python3",
            ["-c", loop, "/usr/bin/virtnbdbackup", "-U", uri, "-d", domain, "-l", "copy", "-o", folder])
        try #require(backup.status == 0, "\(backup.errors.suffix(1000))")
        let restored = folder + "-restored"
        let restore = try Tools.run(
            "/usr/bin/python3",
            ["-c", loop, "/usr/bin/virtnbdrestore", "-U", uri, "-a", "restore", "-i", folder, "-o", restored])
        try #require(restore.status == 0, "\(restore.errors.suffix(1000))")
        let files = try FileManager.default.contentsOfDirectory(atPath: restored).sorted()
        return "\(restored)/\(try #require(files.first { $0.hasSuffix(".qcow2") }, "\(files)"))"
    }

    /// Ends a machine as a power cut does.
    func kill(_ domain: String) {
        let path = root.appendingPathComponent("run/qemu/\(domain).pid").path
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 1
        else { return }
        _ = try? Tools.run("/bin/kill", ["-KILL", "\(process)"])
    }

    func remove() { try? FileManager.default.removeItem(at: root) }
}
