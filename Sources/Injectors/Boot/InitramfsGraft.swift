internal import Archives
internal import Guest

/// A small archive behind an initramfs: modules, what they need, and depmod's indexes, all the guest's own files.
struct InitramfsGraft {
    /// Why a graft can't be relied on.
    struct Impossible: Error {
        var reason: String
    }

    private let initramfs: GuestPath
    private let content: Initramfs
    private let entries: [Cpio.Entry]
    private let note: String

    /// depmod's files, which go along unchanged: libkmod reads the binary ones.
    private static let indexes = [
        "modules.alias", "modules.alias.bin", "modules.builtin", "modules.builtin.alias.bin", "modules.builtin.bin",
        "modules.builtin.modinfo", "modules.dep", "modules.dep.bin", "modules.devname", "modules.order",
        "modules.softdep", "modules.symbols", "modules.symbols.bin",
    ]
    /// A generic initramfs of which every module goes along once more has some 700.
    private static let fileLimit = 1024
    /// In bytes, before compression.
    private static let sizeLimit = 96 << 20

    init(_ task: VirtioInitramfs.Task, _ content: Initramfs, in draft: Draft) throws(Impossible) {
        let kernel = task.kernel
        let index = task.index
        guard let folder = content.moduleFolder(of: kernel.version) else {
            throw Impossible(reason: "it holds no modules of \(kernel.version) to add to")
        }
        guard content.loadsByAlias else {
            throw Impossible(reason: "it loads a fixed list of modules, without udev")
        }
        let present = content.modules(of: kernel.version)
        var wanted = task.needed
        // The guest's indexes replace those in the initramfs, so every module in there has to be in them under the same
        // file name. A tool that unpacked compressed modules changed it: such a module goes along as the guest has it.
        for module in present.sorted() where !index.hasFile(module) {
            let name = ModuleIndex.name(of: module)
            guard index.file(of: name) != nil else {
                throw Impossible(reason: "its module '\(module)' isn't in the guest's modules.dep")
            }
            wanted.append(name)
        }
        var files: [String] = []
        var seen = present
        for name in wanted {
            for file in index.closure(of: name) where seen.insert(file).inserted { files.append(file) }
        }
        guard files.count <= Self.fileLimit else {
            throw Impossible(reason: "\(files.count) modules would have to be added")
        }
        do {
            entries = try Self.entries(files, of: kernel, at: folder, in: draft)
        } catch let error as Impossible {
            throw error
        } catch {
            throw Impossible(reason: "\(error)")
        }
        self.initramfs = task.initramfs
        self.content = content
        note =
            "the initramfs of \(kernel.version)\(task.initramfs == kernel.initramfs ? "" : " (\(task.initramfs.name))")"
            + " gets \(task.needed.joined(separator: ", ")) and what they need: \(files.count) modules, appended"
    }

    private static func entries(
        _ files: [String], of kernel: Kernel, at folder: String, in draft: Draft
    ) throws -> [Cpio.Entry] {
        var entries = folders(of: files).map { Cpio.Entry.directory(folder + "/" + $0) }
        var size = 0
        for file in files + indexes {
            // Names come from modules.dep, which could say anything.
            let path = kernel.modules.appending(file)
            guard path.isInside(kernel.modules), path.relative(to: kernel.modules) == file else {
                throw Impossible(reason: "modules.dep names '\(file)', which is no module's path")
            }
            guard let bytes = try draft.read(path) else {
                if indexes.contains(file) { continue }
                throw GuestPathError(path: path, reason: "no such file")
            }
            size += bytes.count
            guard size <= sizeLimit else { throw Impossible(reason: "its modules are larger than 96 MiB") }
            entries.append(.file(folder + "/" + file, bytes))
        }
        return entries
    }

    func append(with others: [Cpio.Entry], in draft: inout Draft) throws(Impossible) {
        do {
            try Self.append(entries + others, to: initramfs, content, in: &draft)
        } catch {
            throw Impossible(reason: "\(error)")
        }
        draft.note(note)
    }

    /// Entries as one more segment of an initramfs.
    static func append(
        _ entries: [Cpio.Entry], to initramfs: GuestPath, _ content: Initramfs, in draft: inout Draft
    ) throws {
        let archive = Cpio.archive(entries)
        // A kernel that unpacks what it has unpacks more of the same; every kernel takes a plain archive.
        let packed: [UInt8] =
            switch content.compression {
            case .some(let compression) where compression == .gzip || compression == .zstd:
                try compression.encode(archive)
            default: archive
            }
        // 512: the kernel wants a plain archive at a multiple of 4; boot loaders read whole sectors.
        try draft.append(initramfs, packed, alignment: 512)
    }

    /// Every folder above the files, parents first.
    private static func folders(of files: [String]) -> [String] {
        var folders: Set<String> = []
        for file in files {
            let parts = file.split(separator: "/").dropLast()
            for length in 0..<parts.count { folders.insert(parts.prefix(length + 1).joined(separator: "/")) }
        }
        return folders.sorted()
    }
}
