internal import Archives
public import Guest

/// Puts the virtio disk drivers into the initramfs of every kernel, and keeps them there.
///
/// Drivers that are there, or built into the kernel: nothing is done. Else a small archive is appended with the modules,
/// what they need, and the module indexes: no code of the guest runs. Where that can't be relied on, the guest's own tool
/// rebuilds the initramfs.
public struct VirtioInitramfs: Injector {
    public enum Method: String, Sendable, CaseIterable {
        case auto
        case graft
        case rebuild
    }

    public let name = "virtio-initramfs"
    private let method: Method

    public init(method: Method) { self.method = method }

    /// Both buses are made to work: which one a cloud gives a disk can change from one start to the next.
    static let drivers = ["virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod"]
    /// Without these two no disk is found.
    static let required = ["virtio_pci", "virtio_blk"]

    /// depmod's files, which go along unchanged: libkmod reads the binary ones.
    private static let indexes = [
        "modules.alias", "modules.alias.bin", "modules.builtin", "modules.builtin.alias.bin", "modules.builtin.bin",
        "modules.builtin.modinfo", "modules.dep", "modules.dep.bin", "modules.devname", "modules.order",
        "modules.softdep", "modules.symbols", "modules.symbols.bin",
    ]

    public func applies(to guest: Inspection) -> Bool { !guest.kernels.isEmpty }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        let tool = try InitramfsTool.inUse(draft)
        var isKept = false
        var bootable = 0
        for kernel in guest.kernels {
            let index = ModuleIndex(
                dep: try draft.text(kernel.modules.appending("modules.dep")) ?? "",
                builtin: try draft.text(kernel.modules.appending("modules.builtin")) ?? "")
            let wanted = Self.drivers.filter { !index.isBuiltIn($0) }
            let absent = Self.required.filter { wanted.contains($0) && index.file(of: $0) == nil }
            guard absent.isEmpty else {
                draft.warn(
                    "kernel \(kernel.version) has no \(absent.joined(separator: " and ")) module;"
                        + " the guest won't start with this kernel on virtio disks")
                continue
            }
            let needed = wanted.filter { index.file(of: $0) != nil }
            guard !needed.isEmpty else {
                bootable += 1
                // The drivers are in the kernel itself; settings that changed are in the initramfs all the same.
                if let initramfs = kernel.initramfs, let tool, tool.hasChangedSettings(draft) {
                    _ = try prepare(initramfs, of: kernel, with: [], index: index, tool: tool, in: &draft)
                }
                continue
            }
            guard let initramfs = kernel.initramfs else {
                draft.warn(
                    "kernel \(kernel.version) has no initramfs and needs one for virtio disks;"
                        + " the guest won't start with this kernel")
                continue
            }
            if try prepare(initramfs, of: kernel, with: needed, index: index, tool: tool, in: &draft) {
                bootable += 1
                if !isKept, let tool {
                    try tool.keep(needed, in: &draft)
                    isKept = true
                }
            }
        }
        if bootable == 0, draft.findings.allSatisfy({ $0.level != .blocker }) {
            draft.block(
                "no kernel of this guest can find a virtio disk",
                hint: "install a kernel with virtio support (Debian: linux-image-amd64) in the source, or use --skip "
                    + "\(name) and start the result on another disk bus")
        }
    }

    /// - Returns: whether the kernel will find its disk.
    private func prepare(
        _ initramfs: GuestPath, of kernel: Kernel, with needed: [String], index: ModuleIndex, tool: InitramfsTool?,
        in draft: inout Draft
    ) throws -> Bool {
        let content: Initramfs?
        var doubt = ""
        do {
            content = try draft.read(initramfs).map { try Initramfs($0) }
            if content == nil { doubt = "it is not there" }
        } catch {
            content = nil
            doubt = "\(error)"
        }
        if let content {
            let names = Set(content.modules(of: kernel.version).map(ModuleIndex.name))
            let copies = try tool?.changedCopies(in: content, draft) ?? []
            if needed.allSatisfy(names.contains) {
                if !copies.isEmpty { try append(copies.map { .file($0, $1) }, to: initramfs, content, in: &draft) }
                return true
            }
            if method != .rebuild {
                if let reason = Self.whyNoGraft(content, kernel: kernel, index: index) {
                    doubt = reason
                } else {
                    let entries = try graft(for: kernel, content, needed: needed, index: index, in: &draft)
                    try append(entries + copies.map { .file($0, $1) }, to: initramfs, content, in: &draft)
                    return true
                }
            }
        }
        if method == .graft {
            draft.block(
                "could not add modules to '\(initramfs)': \(doubt)", hint: "use --initramfs auto or rebuild")
            return false
        }
        guard let tool else {
            draft.warn(
                "'\(initramfs)' has no virtio modules, and there is no known tool in the guest to rebuild it"
                    + "\(doubt.isEmpty ? "" : " (\(doubt))"); the guest won't start with kernel \(kernel.version)")
            return false
        }
        draft.run(
            GuestCommand(
                tool.rebuild(kernel.version, initramfs),
                reason: "rebuild the initramfs of \(kernel.version) with \(tool.name)"))
        draft.note(
            "the initramfs of \(kernel.version) is rebuilt by the guest's own \(tool.name)"
                + (doubt.isEmpty ? "" : ": \(doubt)"))
        return true
    }

    /// The indexes of the guest replace those in the initramfs, so every module in there has to be in them under the
    /// same file name (a tool that unpacks compressed modules changes it).
    private static func whyNoGraft(_ content: Initramfs, kernel: Kernel, index: ModuleIndex) -> String? {
        guard content.moduleFolder(of: kernel.version) != nil else {
            return "it holds no modules of \(kernel.version) to add to"
        }
        if let stranger = content.modules(of: kernel.version).sorted().first(where: { !index.hasFile($0) }) {
            return "its module '\(stranger)' isn't in the guest's modules.dep"
        }
        return nil
    }

    /// The modules that are missing, their folders, and the indexes.
    private func graft(
        for kernel: Kernel, _ content: Initramfs, needed: [String], index: ModuleIndex, in draft: inout Draft
    ) throws -> [Cpio.Entry] {
        guard let folder = content.moduleFolder(of: kernel.version) else { return [] }
        let present = content.modules(of: kernel.version)
        var files: [String] = []
        for file in needed.flatMap(index.closure) where !present.contains(file) && !files.contains(file) {
            files.append(file)
        }
        var entries: [Cpio.Entry] = []
        for parent in Self.folders(of: files) { entries.append(.directory(folder + "/" + parent)) }
        for file in files + Self.indexes {
            guard let bytes = try draft.read(kernel.modules.appending(file)) else {
                if Self.indexes.contains(file) { continue }
                throw GuestPathError(path: kernel.modules.appending(file), reason: "no such file")
            }
            entries.append(.file(folder + "/" + file, bytes))
        }
        draft.note(
            "the initramfs of \(kernel.version) gets \(needed.joined(separator: ", ")) and what they need:"
                + " \(files.count) modules, appended")
        return entries
    }

    private func append(
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
            for length in 1...max(1, parts.count) { folders.insert(parts.prefix(length).joined(separator: "/")) }
        }
        return folders.filter { !$0.isEmpty }.sorted()
    }
}
