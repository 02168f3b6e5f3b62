internal import Guest

/// Which modules a kernel has and what each needs: modules.dep, modules.builtin and modules.softdep, as depmod writes
/// them, and the kernel's configuration.
struct ModuleIndex {
    /// From a module's name to its file, relative to the kernel's module folder.
    private var files: [String: String] = [:]
    private var dependencies: [String: [String]] = [:]
    /// From a module's name to the names that are loaded before or behind it.
    private var soft: [String: [String]] = [:]
    private var builtIn: Set<String> = []

    /// The options of Kconfig that make drivers part of the kernel, for kernels without modules.builtin (before 2.6.33).
    private static let options = [
        "CONFIG_VIRTIO_PCI": "virtio_pci", "CONFIG_VIRTIO_BLK": "virtio_blk", "CONFIG_SCSI_VIRTIO": "virtio_scsi",
        "CONFIG_BLK_DEV_SD": "sd_mod", "CONFIG_VIRTIO_NET": "virtio_net",
    ]

    /// - Parameters:
    ///   - dep: the text of modules.dep.
    ///   - builtin: the text of modules.builtin.
    ///   - softdep: the text of modules.softdep.
    ///   - configuration: the text of the kernel's .config.
    init(dep: String, builtin: String, softdep: String = "", configuration: String = "") {
        for line in dep.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let file = Self.relative(line[..<colon])
            guard Self.isPath(file) else { continue }
            files[Self.name(of: file)] = file
            dependencies[file] = line[line.index(after: colon)...].split(separator: " ").map(Self.relative)
                .filter(Self.isPath)
        }
        builtIn = Set(builtin.split(separator: "\n").map { Self.name(of: String($0)) })
        for line in configuration.split(separator: "\n") where line.hasSuffix("=y") {
            if let module = Self.options[String(line.dropLast(2))] { builtIn.insert(module) }
        }
        for line in softdep.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 2, words[0] == "softdep" else { continue }
            soft[Self.name(of: words[1]), default: []] += words[2...].filter { !$0.hasSuffix(":") }.map(Self.name)
        }
    }

    /// The index of a kernel of the guest.
    init(of kernel: Kernel, in files: some GuestFiles) throws {
        let configuration =
            try files.text(kernel.image.parent.appending("config-\(kernel.version)"))
            ?? files.text(kernel.modules.appending("config"))
        self.init(
            dep: try files.text(kernel.modules.appending("modules.dep")) ?? "",
            builtin: try files.text(kernel.modules.appending("modules.builtin")) ?? "",
            softdep: try files.text(kernel.modules.appending("modules.softdep")) ?? "",
            configuration: configuration ?? "")
    }

    /// module-init-tools before 3.4 (RHEL 5) wrote whole paths: "/lib/modules/2.6.18-8.el5/kernel/fs/jbd/jbd.ko".
    private static func relative(_ path: Substring) -> String {
        guard path.hasPrefix("/") else { return String(path) }
        let parts = path.split(separator: "/")
        guard let place = parts.firstIndex(of: "modules") else { return String(path) }
        return parts.dropFirst(place + 2).joined(separator: "/")
    }

    /// A module's name from its file: "virtio_blk" from "kernel/drivers/block/virtio_blk.ko.xz". The kernel takes
    /// dashes for underscores.
    static func name(of file: String) -> String {
        let last = file.split(separator: "/").last ?? ""
        return String(last.prefix { $0 != "." }.map { $0 == "-" ? "_" : $0 })
    }

    /// Whether depmod could have written it: no longer than Linux takes a path (PATH_MAX), and inside the folder.
    private static func isPath(_ file: String) -> Bool {
        file.utf8.count < 4096 && !file.split(separator: "/").contains("..")
    }

    static func isModule(_ path: String) -> Bool {
        [".ko", ".ko.xz", ".ko.gz", ".ko.zst"].contains { path.hasSuffix($0) }
    }

    func isBuiltIn(_ name: String) -> Bool { builtIn.contains(name) }

    func file(of name: String) -> String? { files[name] }

    func hasFile(_ file: String) -> Bool { dependencies[file] != nil }

    /// The file of a module and of everything that it needs, each once; modules.dep lists needs transitively, and soft
    /// ones count where there is such a module.
    func closure(of name: String) -> [String] {
        var result: [String] = []
        var names: Set<String> = []
        var found: Set<String> = []
        var pending = [name]
        while let next = pending.popLast() {
            guard let file = files[next], names.insert(next).inserted else { continue }
            for needed in [file] + (dependencies[file] ?? []) where found.insert(needed).inserted {
                result.append(needed)
                pending += soft[Self.name(of: needed)] ?? []
            }
        }
        return result
    }
}
