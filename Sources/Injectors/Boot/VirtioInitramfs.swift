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
    /// The real root has it, or the card is not found.
    private static let network = "virtio_net"

    public func applies(to guest: Inspection) -> Bool { !guest.kernels.isEmpty }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        var kept = Kept()
        var failures: [(version: String, reason: String)] = []
        for kernel in guest.kernels {
            let index = try ModuleIndex(of: kernel, in: draft)
            if let reason = try makeBootable(kernel, index, &kept, in: &draft) {
                failures.append((kernel.version, reason))
            } else if !index.isBuiltIn(Self.network), index.file(of: Self.network) == nil {
                draft.warn(
                    "kernel \(kernel.version) has no \(Self.network) module;"
                        + " the guest comes up without a network on a virtio card")
            }
        }
        try makeRescueBootable(guest, &kept, in: &draft)
        for (tool, modules, index) in kept.wishes { try tool.keep(modules, index, in: &draft) }
        try report(failures, guest: guest, in: &draft)
    }

    /// A kernel that doesn't start is an error where it is the one that starts by itself, or the last one.
    private func report(
        _ failures: [(version: String, reason: String)], guest: Inspection, in draft: inout Draft
    ) throws {
        let standard = try failures.isEmpty ? nil : DefaultKernel.version(in: draft, of: guest)
        for (version, reason) in failures {
            if version == standard, failures.count < guest.kernels.count {
                draft.block(
                    "the kernel that the guest starts by itself, \(version), can't find a virtio disk: \(reason)",
                    hint: "make another kernel the default in the source (grub2-set-default, grub-set-default), or mend"
                        + " this one there")
            } else {
                draft.warn("\(reason); the guest won't start with kernel \(version)")
            }
        }
        if failures.count == guest.kernels.count, draft.findings.allSatisfy({ $0.level != .blocker }) {
            let package = LinuxFamily.of(guest.osRelease).kernelPackage
            draft.block(
                "no kernel of this guest can find a virtio disk",
                hint:
                    "install a kernel with virtio support\(package.map { " (\($0))" } ?? "") in the source, or use --skip "
                    + "\(name) and start the result on another disk bus")
        }
    }

    // MARK: A kernel

    /// - Returns: nil, or why the kernel won't find a virtio disk.
    private func makeBootable(
        _ kernel: Kernel, _ index: ModuleIndex, _ kept: inout Kept, in draft: inout Draft
    ) throws -> String? {
        let wanted = Self.drivers.filter { !index.isBuiltIn($0) }
        let absent = Self.required.filter { wanted.contains($0) && index.file(of: $0) == nil }
        guard absent.isEmpty else {
            let age = InstalledKernels.isOlder(kernel.version, "2.6.25") ? " (virtio came with Linux 2.6.25)" : ""
            return "kernel \(kernel.version) has no \(absent.joined(separator: " and ")) module\(age)"
        }
        let needed = wanted.filter { index.file(of: $0) != nil }
        guard !needed.isEmpty else {
            // The drivers are in the kernel itself; settings that changed are in the initramfs all the same.
            if let initramfs = kernel.initramfs,
                try InitramfsTool.inUse(draft, for: nil)?.hasChangedSettings(draft) == true
            {
                let task = Task(kernel: kernel, initramfs: initramfs, needed: [], index: index)
                return try prepare(task, &kept, mayRebuild: true, in: &draft)
            }
            return nil
        }
        guard let initramfs = kernel.initramfs else {
            return "kernel \(kernel.version) has no initramfs and needs one for virtio disks"
        }
        let task = Task(kernel: kernel, initramfs: initramfs, needed: needed, index: index)
        let failure = try prepare(task, &kept, mayRebuild: true, in: &draft)
        for other in kernel.otherInitramfs {
            let task = Task(kernel: kernel, initramfs: other, needed: needed, index: index)
            // A tool's own fallback is rebuilt like the first one; kdump's is made by another program.
            let mayRebuild = other.name.contains("fallback")
            if let reason = try prepare(task, &kept, mayRebuild: mayRebuild, in: &draft) {
                draft.warn("\(reason); what is started with it won't find a virtio disk")
            }
        }
        return failure
    }

    /// A rescue entry's initramfs holds the modules of the kernel that it was made with.
    private func makeRescueBootable(_ guest: Inspection, _ kept: inout Kept, in draft: inout Draft) throws {
        for initramfs in try InstalledKernels.rescueImages(in: draft) {
            guard let content = try? draft.read(initramfs).map({ try Initramfs($0) }) else {
                draft.note(
                    "'\(initramfs)' can't be read and is left as it is; rescue entries may not find a virtio disk")
                continue
            }
            let versions = content.versions
            let names = versions.reduce(into: Set<String>()) { names, version in
                names.formUnion(content.modules(of: version).map(ModuleIndex.name))
            }
            guard !Self.required.allSatisfy(names.contains) else { continue }
            guard let kernel = guest.kernels.first(where: { versions.contains($0.version) }) else {
                draft.note(
                    "'\(initramfs)' was made for a kernel that is no longer there"
                        + "\(versions.first.map { " (\($0))" } ?? ""); rescue entries may not find a virtio disk")
                continue
            }
            let index = try ModuleIndex(of: kernel, in: draft)
            let needed = Self.drivers.filter { !index.isBuiltIn($0) && index.file(of: $0) != nil }
            let task = Task(kernel: kernel, initramfs: initramfs, needed: needed, index: index)
            if let reason = try prepare(task, &kept, mayRebuild: false, in: &draft) {
                draft.warn("\(reason); rescue entries won't find a virtio disk")
            }
        }
    }

    // MARK: An initramfs

    /// What an initramfs is to get.
    struct Task {
        var kernel: Kernel
        var initramfs: GuestPath
        var needed: [String]
        var index: ModuleIndex
    }

    /// - Returns: nil, or why a virtio disk won't be found with it.
    private func prepare(
        _ task: Task, _ kept: inout Kept, mayRebuild: Bool, in draft: inout Draft
    ) throws -> String? {
        let (kernel, initramfs) = (task.kernel, task.initramfs)
        let content: Initramfs?
        var doubt = ""
        do {
            content = try draft.read(initramfs).map { try Initramfs($0) }
            if content == nil { doubt = "it is not there" }
        } catch {
            content = nil
            doubt = "\(error)"
        }
        let tool = try InitramfsTool.inUse(draft, for: content)
        if let content {
            let names = Set(content.modules(of: kernel.version).map(ModuleIndex.name))
            let copies = try (tool?.changedCopies(in: content, draft) ?? []).map { Cpio.Entry.file($0, $1) }
            if task.needed.allSatisfy(names.contains) {
                if !copies.isEmpty { try InitramfsGraft.append(copies, to: initramfs, content, in: &draft) }
                kept.add(tool, task.needed, task.index)
                return nil
            }
            if method != .rebuild || !mayRebuild {
                do throws(InitramfsGraft.Impossible) {
                    let graft = try InitramfsGraft(task, content, in: draft)
                    try graft.append(with: copies, in: &draft)
                    kept.add(tool, task.needed, task.index)
                    return nil
                } catch {
                    doubt = error.reason
                }
            }
        }
        let why = doubt.isEmpty ? "" : " (\(doubt))"
        guard mayRebuild else { return "'\(initramfs)' has no virtio modules, and none can be added\(why)" }
        if method == .graft {
            draft.block(
                "could not add modules to '\(initramfs)': \(doubt)", hint: "use --initramfs auto or rebuild")
            return "'\(initramfs)' has no virtio modules"
        }
        guard let tool, let program = try tool.program(in: draft) else {
            return "'\(initramfs)' has no virtio modules, and there is no known tool in the guest to rebuild it\(why)"
        }
        draft.run(
            GuestCommand(
                tool.rebuild(.init(program: program, kernel: kernel, initramfs: initramfs, modules: task.needed)),
                reason: "rebuild the initramfs of \(kernel.version) with \(tool.name)"))
        draft.note(
            "the initramfs of \(kernel.version) is rebuilt by the guest's own \(tool.name)"
                + (doubt.isEmpty ? "" : ": \(doubt)"))
        kept.add(tool, task.needed, task.index)
        return nil
    }
}

/// What each tool in use is to be told to keep, over all kernels.
private struct Kept {
    private(set) var wishes: [(tool: InitramfsTool, modules: [String], index: ModuleIndex)] = []

    mutating func add(_ tool: InitramfsTool?, _ modules: [String], _ index: ModuleIndex) {
        guard let tool, !modules.isEmpty else { return }
        if let place = wishes.firstIndex(where: { $0.tool.programs == tool.programs && $0.tool.signs == tool.signs }) {
            wishes[place].modules += modules.filter { !wishes[place].modules.contains($0) }
        } else {
            wishes.append((tool, modules, index))
        }
    }
}
