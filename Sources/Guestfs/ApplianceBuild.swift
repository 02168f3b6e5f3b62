internal import Archives
internal import Foundation
internal import Host

/// Makes an appliance in an empty folder: supermin's, with another /init, fewer modules and an uncompressed kernel;
/// under TCG booted and parked.
struct ApplianceBuild {
    let ingredients: ApplianceIngredients
    let folder: URL

    func run(log: (String) -> Void) throws {
        try supermin()
        let kernel = try Data(contentsOf: ingredients.kernel, options: .mappedIfSafe)
        let vmlinux = KernelImage.vmlinux(of: kernel)
        // supermin's copy is the compressed one.
        try (vmlinux ?? kernel).write(to: file("kernel"))
        try shrinkInitrd()
        try editRoot()
        guard ingredients.accelerator == .tcg else { return }
        // The ROM that makes QEMU jump to the kernel; see pc_memory_init and x86_load_linux in QEMU.
        let rom = vmlinux == nil ? "linuxboot_dma.bin" : "pvh.bin"
        let wrapper = file(ApplianceWrapper.name)
        try Data(ApplianceWrapper.script(qemu: ingredients.qemu, rom: rom).utf8).write(to: wrapper)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: wrapper.path)
        do {
            try ParkedAppliance(qemu: ingredients.qemu, folder: folder).make()
        } catch {
            // Without a state, the wrapper passes everything on to QEMU, and the appliance boots.
            try? FileManager.default.removeItem(at: file("state"))
            try? FileManager.default.removeItem(at: file("ram"))
            log("note: the appliance could not be parked (\(error)); it is booted for each launch instead")
        }
    }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func supermin() throws {
        guard Command("supermin", []).path != nil else {
            throw FixedApplianceError("could not find supermin", hint: "install it: apt-get install supermin")
        }
        do {
            _ = try Command(
                "supermin",
                [
                    "--build", "--copy-kernel", "-f", "ext2", "--host-cpu", "x86_64",
                    "-o", folder.appendingPathComponent("supermin").path, ingredients.supermin.path,
                ],
                environment: [
                    "SUPERMIN_KERNEL": ingredients.kernel.path, "SUPERMIN_MODULES": ingredients.modules.path,
                    "SUPERMIN_KERNEL_VERSION": ingredients.modules.lastPathComponent,
                ]
            ).runBlocking()
        } catch {
            throw FixedApplianceError(
                "could not make an appliance: \(error)", hint: "try it: libguestfs-test-tool")
        }
        for name in ["initrd", "root"] {
            try FileManager.default.moveItem(at: file("supermin").appendingPathComponent(name), to: file(name))
        }
        try FileManager.default.removeItem(at: file("supermin"))
    }

    /// Leaves those modules of the initrd that it takes to mount the root; supermin's init loads all that are listed.
    private func shrinkInitrd() throws {
        let bytes = [UInt8](try Data(contentsOf: file("initrd")))
        let entries = try Cpio.list(bytes[...]).entries
        let kept = entries.compactMap { entry -> Cpio.Entry? in
            if entry.path.contains(".ko"), !ApplianceScripts.isNeededEarly(entry.path) { return nil }
            var content = Array(bytes[entry.content])
            if entry.path == "modules" {
                let names = String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
                content = Array(names.filter(ApplianceScripts.isNeededEarly).map { $0 + "\n" }.joined().utf8)
            }
            return Cpio.Entry(path: entry.path, mode: entry.mode, bytes: content)
        }
        try Data(Cpio.archive(kept)).write(to: file("initrd"))
    }

    /// debugfs writes into the ext2 image without mounting it.
    private func editRoot() throws {
        let additions: [(path: String, mode: String, content: Data)] = [
            ("/init", "0100755", Data(ApplianceScripts.initScript.utf8)),
            ("/usr/sbin/udevadm", "0100755", Data(ApplianceScripts.udevadm.utf8)),
            ("/rehost-reseed", "0100755", Data(ApplianceScripts.reseed)),
            ("/etc/modprobe.d/rehost.conf", "0100644", Data(ApplianceScripts.modprobe.utf8)),
        ]
        let staging = file("staging")
        try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: false)
        var commands = "rm /init\nmkdir /etc/modprobe.d\n"
        for (index, addition) in additions.enumerated() {
            let source = staging.appendingPathComponent("\(index)")
            try addition.content.write(to: source)
            commands += "write \"\(source.path)\" \(addition.path)\n"
            commands += "set_inode_field \(addition.path) mode \(addition.mode)\n"
            commands += "set_inode_field \(addition.path) uid 0\nset_inode_field \(addition.path) gid 0\n"
        }
        commands += ApplianceScripts.needlessRules.map { "rm /usr/lib/udev/rules.d/\($0).rules\n" }.joined()
        let script = staging.appendingPathComponent("commands")
        try Data(commands.utf8).write(to: script)
        // Its status is 0 whatever happens: look at the result.
        _ = try Command("debugfs", ["-w", "-f", script.path, file("root").path]).runBlocking()
        let written = try Command("debugfs", ["-R", "cat /init", file("root").path]).runBlocking()
        guard written == Data(ApplianceScripts.initScript.utf8) else {
            throw FixedApplianceError(
                "could not write /init into the appliance's root", hint: "is e2fsprogs's debugfs new enough (1.42)?")
        }
        try FileManager.default.removeItem(at: staging)
    }
}
