import Foundation
import Testing

/// The guest of images/writer as a domain of an embedded libvirt: it writes under load, and checks disks.
struct WriterGuest {
    /// The domain's.
    let name: String
    let folder: URL
    let libvirt: EmbeddedLibvirt
    private let machine: EmulatedMachine

    var disk: String { folder.appendingPathComponent("disk.qcow2").path }
    private var console: String { folder.appendingPathComponent("console").path }

    /// Makes it, starts it, and waits until it writes.
    init(_ folder: URL, fileSystem: String, libvirt: EmbeddedLibvirt) throws {
        name = "writer-\(fileSystem)"
        self.folder = folder
        self.libvirt = libvirt
        machine = EmulatedMachine(folder: folder)
        let made = try Tools.run("images/writer", ["--fs", fileSystem, folder.path])
        try #require(made.status == 0, "\(made.errors)")
        try libvirt.prepare()
        let line = try String(contentsOfFile: folder.appendingPathComponent("cmdline").path, encoding: .utf8)
        let xml = """
            <domain type='qemu'><name>\(name)</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='q35'>hvm</type><kernel>\(folder.path)/vmlinuz</kernel>
            <initrd>\(folder.path)/initrd</initrd>
            <cmdline>\(line.trimmingCharacters(in: .whitespacesAndNewlines))</cmdline></os>
            <features><acpi/></features>
            <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
            <disk type='file' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/>
            <source file='\(disk)'/><target dev='vda' bus='virtio'/></disk>
            <serial type='file'><source path='\(console)'/></serial>
            <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
            <memballoon model='none'/></devices></domain>
            """
        let file = folder.appendingPathComponent("domain.xml")
        try Data(xml.utf8).write(to: file)
        let defined = try libvirt.virsh("define", file.path)
        try #require(defined.status == 0, "\(defined.errors)")
        try start()
    }

    func start() throws {
        // libvirt finds out that a machine was killed a moment after it is asked.
        var started = try libvirt.virsh("start", name)
        for _ in 0..<10 where started.errors.contains("already active") {
            Thread.sleep(forTimeInterval: 0.5)
            started = try libvirt.virsh("start", name)
        }
        try #require(started.status == 0, "\(started.errors)")
        // An emulated processor, beside other guests. The console's file is a new one.
        for _ in 0..<240 where acknowledged == nil { Thread.sleep(forTimeInterval: 0.5) }
        try #require(acknowledged != nil, "the guest doesn't write: \(said)")
    }

    /// Without the serial line's carriage returns, which are one character with what follows.
    private var said: String {
        ((try? String(contentsOfFile: console, encoding: .utf8)) ?? "").replacingOccurrences(of: "\r", with: "")
    }

    /// What the guest has said last that is on its disk.
    var acknowledged: Int? {
        // The last line may be half there.
        said.split(separator: "\n", omittingEmptySubsequences: false).dropLast().last { $0.hasPrefix("ACK ") }
            .flatMap { Int($0.dropFirst(4).trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Has a guest of the same kind look through disks, each through an overlay.
    /// - Parameters:
    ///   - disks: raw or qcow2.
    ///   - least: what each must hold.
    /// - Returns: what it said of each: "ok files=…", "BAD …".
    func check(_ disks: [String], least: [Int]) throws -> [String] {
        let list = least.map(String.init).joined(separator: ",")
        let text = try machine.run(
            disks: disks, appending: "writer.mode=check writer.disks=\(disks.count) writer.least=\(list)")
        return disks.indices.map { index in
            let name = "vd" + String(UnicodeScalar(UInt8(97 + index)))
            let line = text.split(separator: "\n").first { $0.hasPrefix("CHECK \(name) ") }
            return line.map { $0.dropFirst("CHECK \(name) ".count).trimmingCharacters(in: .whitespacesAndNewlines) }
                ?? "nothing was said: \(text.suffix(300))"
        }
    }

    /// By its process: libvirt's folder may be open in this one, and virsh is another.
    func end() { libvirt.kill(name) }
}

/// QEMU with a kernel of its own, until the guest powers off.
private struct EmulatedMachine {
    let folder: URL

    func run(disks: [String], appending words: String) throws -> String {
        func file(_ name: String) -> String { folder.appendingPathComponent(name).path }
        let line = try String(contentsOfFile: file("cmdline"), encoding: .utf8)
        var arguments = [
            "900", "qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-m", "512", "-nodefaults", "-display",
            "none", "-no-reboot", "-snapshot", "-kernel", file("vmlinuz"), "-initrd", file("initrd"), "-append",
            line.trimmingCharacters(in: .whitespacesAndNewlines) + " " + words, "-serial", "stdio",
        ]
        for disk in disks {
            arguments += ["-drive", "file=\(disk),format=\(disk.hasSuffix(".qcow2") ? "qcow2" : "raw"),if=virtio"]
        }
        let result = try Tools.run("/usr/bin/timeout", arguments)
        try #require(result.status == 0, "\(result.errors)\(result.output.suffix(500))")
        return result.output.replacingOccurrences(of: "\r", with: "")
    }
}
