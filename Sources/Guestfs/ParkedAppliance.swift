internal import Foundation

/// Boots the appliance in a folder once and keeps it there as it waits for its disks: its memory (`ram`), its devices
/// (`state`) and its root, which has been written to and mustn't change any more.
struct ParkedAppliance {
    let qemu: String
    let folder: URL

    /// Under TCG, on a slow and busy machine.
    private static let bootLimit: TimeInterval = 300

    func make() throws {
        try boot()
        try Data(ApplianceWrapper.resume.utf8).write(to: file("resume.in"))
        // QEMU opens both ends of what it takes for a pair of pipes.
        try FileManager.default.createSymbolicLink(atPath: file("resume.out").path, withDestinationPath: "/dev/null")
        try wakeOnce()
        for name in ["console", "answers", "scratch", "word"] { try? FileManager.default.removeItem(at: file(name)) }
    }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func boot() throws {
        let place = folder.path.replacing(",", with: ",,")
        try Data().write(to: file("scratch"))
        try FileHandle(forWritingTo: file("scratch")).truncate(atOffset: 16 << 20)
        var machine = ApplianceWrapper.machine(folder: place)
        machine[machine.count - 1] += ",share=on"
        let arguments =
            machine + [
                "-kernel", file("kernel").path, "-initrd", file("initrd").path,
                "-append",
                "panic=1 console=ttyS0 edd=off no_timer_check cgroup_disable=memory usbcore.nousb cryptomgr.notests "
                    + "tsc=reliable 8250.nr_uarts=1 quiet root=/dev/vda selinux=0 TERM=xterm "
                    + "\(ApplianceScripts.kernelArguments) \(ApplianceScripts.parkArgument)",
                "-drive", "file=\(place)/root,id=appliance,cache=unsafe,if=none,format=raw",
                "-drive", "file=\(place)/scratch,id=scratch,cache=unsafe,if=none,format=raw",
                "-device", "scsi-hd,drive=scratch,id=scratch-disk",
                "-serial", "file:\(file("console").path)", "-chardev", "file,id=channel0,path=/dev/null",
                "-fw_cfg", "name=\(ApplianceScripts.wakeEntry),string=\(ApplianceScripts.asleep)",
                "-qmp", "stdio",
            ]
        let machinery = try RunningMachine(qemu, arguments, output: file("answers"))
        defer { machinery.kill() }
        try machinery.wait(for: Array(ApplianceScripts.parkedMark.utf8), in: file("console"), limit: Self.bootLimit)
        machinery.say(#"{"execute":"qmp_capabilities"}"#)
        machinery.say(#"{"execute":"device_del","arguments":{"id":"scratch-disk"}}"#)
        try machinery.wait(for: Array("DEVICE_DELETED".utf8), in: file("answers"), limit: 10)
        // The guest's last events of the disk's going.
        Thread.sleep(forTimeInterval: 1)
        machinery.say(ApplianceWrapper.ignoreShared)
        machinery.say(
            #"{"execute":"migrate","arguments":{"uri":"exec:cat > \#(quoted(file("state").path))"}}"#)
        try machinery.wait(for: Array(#""completed""#.utf8), in: file("answers"), limit: 60) {
            machinery.say(#"{"execute":"query-migrate"}"#)
        }
        machinery.say(#"{"execute":"quit"}"#)
        try machinery.waitForEnd(limit: 30)
    }

    /// In single quotes for the shell, and as part of a JSON string.
    private func quoted(_ path: String) -> String {
        let shell = "'" + path.replacing("'", with: "'\\''") + "'"
        return shell.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    /// Wakes it as libguestfs will, with a disk, and waits for its first word: what doesn't wake isn't kept.
    private func wakeOnce() throws {
        let place = folder.path.replacing(",", with: ",,")
        let arguments = [
            "-machine", "accel=tcg", "-kernel", file("kernel").path, "-append", "",
            "-drive", "file=\(place)/scratch,id=hd0,cache=unsafe,if=none,format=raw", "-device", "scsi-hd,drive=hd0",
            "-drive", "file=\(place)/root,snapshot=on,id=appliance,cache=unsafe,if=none,format=raw",
            "-device", "scsi-hd,drive=appliance", "-serial", "stdio",
            "-chardev", "file,id=channel0,path=\(place)/word",
        ]
        let machinery = try RunningMachine(file(ApplianceWrapper.name).path, arguments, output: file("console"))
        defer { machinery.kill() }
        // GUESTFS_LAUNCH_FLAG
        try machinery.wait(for: [0xf5, 0xf5, 0x5f, 0xf5], in: file("word"), limit: 60)
    }
}

/// QEMU, while an appliance is made: killed when it isn't waited for any more.
private final class RunningMachine {
    private let process = Process()
    private let input = Pipe()
    private let ended = DispatchSemaphore(value: 0)
    private let output: URL

    init(_ program: String, _ arguments: [String], output: URL) throws {
        self.output = output
        try Data().write(to: output)
        let sink = try FileHandle(forWritingTo: output)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = sink
        process.standardError = sink
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
        try sink.close()
    }

    /// A line for the monitor. Lost when QEMU has ended, which the next wait notices.
    func say(_ line: String) {
        try? input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Waits until the bytes are in the file. `meanwhile` is called about five times a second.
    func wait(for bytes: [UInt8], in file: URL, limit: TimeInterval, meanwhile: () -> Void = {}) throws {
        let end = Date(timeIntervalSinceNow: limit)
        while true {
            if let content = try? Data(contentsOf: file), content.range(of: Data(bytes)) != nil { return }
            guard process.isRunning else { throw failure("QEMU ended early") }
            guard Date() < end else { throw failure("it took more than \(Int(limit)) s") }
            meanwhile()
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    func waitForEnd(limit: TimeInterval) throws {
        guard ended.wait(timeout: .now() + limit) == .success else { throw failure("QEMU did not end") }
        ended.signal()
    }

    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        _ = ended.wait(timeout: .now() + 10)
    }

    private func failure(_ what: String) -> FixedApplianceError {
        let words = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
        let last = words.split(separator: "\n").last.map { ": \($0)" } ?? ""
        return FixedApplianceError(what + last, hint: "try again on a less busy machine")
    }
}
