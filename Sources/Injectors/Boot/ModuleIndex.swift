internal import Guest

/// Which modules a kernel has and what each needs: modules.dep and modules.builtin, as depmod writes them.
struct ModuleIndex {
    /// From a module's name to its file, relative to the kernel's module folder.
    private var files: [String: String] = [:]
    private var dependencies: [String: [String]] = [:]
    private var builtIn: Set<String> = []

    /// - Parameters:
    ///   - dep: the text of modules.dep.
    ///   - builtin: the text of modules.builtin.
    init(dep: String, builtin: String) {
        for line in dep.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let file = String(line[..<colon])
            guard Self.isPath(file) else { continue }
            files[Self.name(of: file)] = file
            dependencies[file] = line[line.index(after: colon)...].split(separator: " ").map(String.init)
                .filter(Self.isPath)
        }
        builtIn = Set(builtin.split(separator: "\n").map { Self.name(of: String($0)) })
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

    /// The file of a module and of everything that it needs, each once; modules.dep lists needs transitively.
    func closure(of name: String) -> [String] {
        guard let file = files[name] else { return [] }
        return [file] + (dependencies[file] ?? [])
    }
}
