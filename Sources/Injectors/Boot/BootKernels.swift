public import Guest

/// The kernels that a boot loader's entries name, for loaders that have copies of their own, or names without versions.
public enum BootKernels {
    /// In bytes; a kernel with everything built in has some 20 MB.
    private static let imageLimit: UInt64 = 96 << 20
    private static let limit = 32

    /// What inspection found by the files' names, with the images and initramfs that the loader really starts.
    public static func merged(
        _ named: [Kernel], loadedBy loader: BootLoader, _ files: any GuestFiles, mounts: [Mount]
    ) throws -> [Kernel] {
        let modules = try files.resolve("/lib/modules")
        var kernels = named
        for found in try entries(of: loader, files, mounts: mounts).prefix(limit) {
            // Distributions that keep one name for all their kernels (Arch, Alpine) say nothing about versions.
            if kernels.contains(where: { $0.image == found.image && $0.initramfs == found.initramfs }) { continue }
            guard
                let version = try found.version.flatMap({ isVersion($0, in: modules, files) ? $0 : nil })
                    ?? version(ofImage: found.image, files),
                try files.exists(modules.appending(version).appending("modules.dep"))
            else { continue }
            let kernel = Kernel(
                version: version, image: found.image, initramfs: found.initramfs, modules: modules.appending(version))
            // systemd-boot starts copies: what lies in /boot beside them isn't used.
            if case .loaderEntries = loader { kernels.removeAll { $0.version == version && named.contains($0) } }
            kernels.append(kernel)
        }
        return kernels.sorted {
            $0.version == $1.version
                ? ($0.initramfs ?? .root) < ($1.initramfs ?? .root)
                : InstalledKernels.isOlder($0.version, $1.version)
        }
    }

    private static func isVersion(_ text: String, in modules: GuestPath, _ files: any GuestFiles) -> Bool {
        (try? !text.contains("/") && files.exists(modules.appending(text).appending("modules.dep"))) ?? false
    }

    private static func entries(
        of loader: BootLoader, _ files: any GuestFiles, mounts: [Mount]
    ) throws -> [(version: String?, image: GuestPath, initramfs: GuestPath?)] {
        switch loader {
        case .loaderEntries(let paths):
            return try paths.suffix(LoaderEntries.limit).compactMap { path in
                guard let size = try files.status(path)?.size, size <= LoaderEntry.sizeLimit,
                    let bytes = try files.read(path)
                else { return nil }
                let entry = LoaderEntry(name: path.name, bytes, style: .systemd)
                let top = try mount(holding: files.resolve(path), mounts)?.path ?? .root
                guard let image = try file(entry.linux, in: [top], files) else { return nil }
                // Microcode comes first.
                let initramfs = try entry.initrds.last.flatMap { try file($0, in: [top], files) }
                return (String(decoding: entry.version, as: UTF8.self), image, initramfs)
            }
        case .grubLegacy(let configuration), .syslinux(let configuration):
            guard let size = try files.status(configuration)?.size, size <= 1 << 20,
                let bytes = try files.read(configuration)
            else { return [] }
            let menu = if case .syslinux = loader { PlainMenu(syslinux: bytes) } else { PlainMenu(legacy: bytes) }
            let home = try files.resolve(configuration).parent
            let tops = [home, mount(holding: home, mounts)?.path, mount(holding: "/boot", mounts)?.path, .root]
                .compactMap { $0 }
            return try menu.entries.compactMap { entry in
                guard let image = try file(entry.kernel, in: tops, files) else { return nil }
                return (nil, image, try entry.initrds.last.flatMap { try file($0, in: tops, files) })
            }
        case .grub2, .unifiedKernels, .unknown: return []
        }
    }

    private static func mount(holding path: GuestPath, _ mounts: [Mount]) -> Mount? {
        mounts.filter { path.isInside($0.path) }.max { $0.path.components.count < $1.path.components.count }
    }

    private static func file(_ written: [UInt8], in tops: [GuestPath], _ files: any GuestFiles) throws -> GuestPath? {
        let text = String(decoding: written, as: UTF8.self)
        guard !text.isEmpty, !text.split(separator: "/").contains("..") else { return nil }
        return try tops.lazy.map { try files.resolve($0.appending(text)) }.first {
            try files.entry(at: $0)?.kind == .file
        }
    }

    /// What the kernel calls itself, from its header.
    private static func version(ofImage path: GuestPath, _ files: any GuestFiles) throws -> String? {
        guard let size = try files.status(path)?.size, size <= imageLimit else { return nil }
        return try files.read(path).flatMap(InstalledKernels.version)
    }
}
