public import Guest

/// The kernels that a guest has modules for, with their images and initramfs, by all the names that distributions give
/// them. Modules without an image are what a removed kernel left behind: no kernel.
public struct InstalledKernels {
    private let files: any GuestFiles
    /// Where boot loaders find files, symlinks followed, and what is there.
    private let folders: [(path: GuestPath, names: [String])]

    private init(_ files: any GuestFiles) throws {
        self.files = files
        var folders: [(GuestPath, [String])] = []
        for folder in ["/boot", "/efi", "/boot/efi"] as [GuestPath] {
            let real = try files.resolve(folder)
            if !folders.contains(where: { $0.0 == real }) { folders.append((real, try files.list(real))) }
        }
        self.folders = folders
    }

    /// The newest comes last.
    public static func find(in files: any GuestFiles) throws -> [Kernel] {
        try InstalledKernels(files).kernels()
    }

    /// Initramfs of rescue entries, which carry no version in their names: "initramfs-0-rescue-<machine id>.img".
    static func rescueImages(in files: some GuestFiles) throws -> [GuestPath] {
        let boot = try files.resolve("/boot")
        return try files.files(in: boot, suffix: ".img").filter { $0.name.hasPrefix("initramfs-0-rescue") }
    }

    /// More than anybody keeps; a hostile guest gets no more time.
    private static let limit = 64

    private func kernels() throws -> [Kernel] {
        var modules: [(version: String, folder: GuestPath)] = []
        for folder in ["/lib/modules", "/usr/lib/modules"] as [GuestPath] {
            let real = try files.resolve(folder)
            for version in try files.list(real) where !modules.contains(where: { $0.version == version }) {
                guard try files.exists(real.appending("\(version)/modules.dep")) else { continue }
                modules.append((version, real.appending(version)))
            }
        }
        modules.sort { Self.isOlder($0.version, $1.version) }
        modules = modules.suffix(Self.limit)
        var found: [String: Kernel] = [:]
        for (version, folder) in modules {
            found[version] =
                try named(version, folder) ?? kernelInstall(version, folder) ?? package(version, folder)
        }
        try byFlavour(modules, into: &found)
        try byHeader(modules, into: &found)
        for (version, folder) in modules where found[version] == nil {
            found[version] = try insideModules(version, folder)
        }
        return modules.compactMap { found[$0.version] }
    }

    // MARK: By name

    /// What images are called in front of a version or flavour, the likeliest first. SUSE's vmlinux is for debuggers.
    private static let imageNames = ["vmlinuz", "kernel", "bzImage", "vmlinux"]

    /// "vmlinuz-6.1.0-18-amd64"; with a word between, Slackware's "vmlinuz-generic-5.15.19" and Gentoo's
    /// "kernel-genkernel-x86_64-5.15.19".
    private func named(_ version: String, _ modules: GuestPath) throws -> Kernel? {
        for (folder, names) in folders {
            let exact = Self.imageNames.map { "\($0)-\(version)" } + ["vmlinux-\(version).gz"]
            let image =
                exact.first(where: names.contains)
                ?? names.first { name in
                    name.hasSuffix("-\(version)") && Self.imageNames.contains { name.hasPrefix($0 + "-") }
                }
            if let image { return kernel(version, modules, folder, image: image, key: version, names) }
        }
        return nil
    }

    /// What is there for an image: `key` stands in the names of its initramfs.
    private func kernel(
        _ version: String, _ modules: GuestPath, _ folder: GuestPath, image: String, key: String, _ names: [String]
    ) -> Kernel {
        let exact = [
            "initrd.img-\(key)", "initramfs-\(key).img", "initrd-\(key)", "initrd-\(key).img", "initramfs-\(key)",
            "initrd-\(key).gz",
        ]
        let archive =
            exact.first(where: names.contains)
            ?? names.first { name in
                name.hasPrefix("initr") && (name.hasSuffix("-\(key)") || name.hasSuffix("-\(key).img"))
            }
        // Arch's fallback; kdump's of Red Hat, and of SUSE.
        let others = ["initramfs-\(key)-fallback.img", "initramfs-\(key)kdump.img", "initrd-\(key)-kdump"]
        return Kernel(
            version: version, image: folder.appending(image), initramfs: archive.map { folder.appending($0) },
            otherInitramfs: others.filter(names.contains).map { folder.appending($0) }, modules: modules)
    }

    /// What systemd's kernel-install lays: "/boot/<machine id>/<version>/linux" and "initrd" beside it.
    private func kernelInstall(_ version: String, _ modules: GuestPath) throws -> Kernel? {
        var tokens = [try files.text("/etc/kernel/entry-token"), try files.text("/etc/machine-id")].compactMap {
            $0?.split(whereSeparator: \.isWhitespace).first.map(String.init)
        }
        for (folder, names) in folders {
            tokens += names.filter { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) && !tokens.contains($0) }
            for token in tokens where names.contains(token) {
                let place = folder.appending("\(token)/\(version)")
                guard try files.exists(place.appending("linux")) else { continue }
                let archives = try files.list(place).filter { $0.hasPrefix("initr") }.map { place.appending($0) }
                return Kernel(
                    version: version, image: place.appending("linux"), initramfs: archives.first,
                    otherInitramfs: Array(archives.dropFirst()), modules: modules)
            }
        }
        return nil
    }

    /// Arch names images by package, "vmlinuz-linux-lts", and the package beside the modules.
    private func package(_ version: String, _ modules: GuestPath) throws -> Kernel? {
        guard
            let package = try files.text(modules.appending("pkgbase"))?.split(whereSeparator: \.isWhitespace).first
        else { return nil }
        for (folder, names) in folders where names.contains("vmlinuz-\(package)") {
            return kernel(
                version, modules, folder, image: "vmlinuz-\(package)", key: String(package), names)
        }
        return nil
    }

    /// Alpine names images by the end of the version, "vmlinuz-lts" for 6.6.41-0-lts. With two versions of one flavour
    /// the image itself has to tell.
    private func byFlavour(
        _ modules: [(version: String, folder: GuestPath)], into found: inout [String: Kernel]
    ) throws {
        func flavour(_ version: String) -> String { version.split(separator: "-").last.map(String.init) ?? version }
        for (version, place) in modules where found[version] == nil {
            let flavour = flavour(version)
            guard modules.count(where: { $0.version.hasSuffix("-" + flavour) }) == 1 else { continue }
            for (folder, names) in folders where found[version] == nil {
                guard let image = Self.imageNames.map({ "\($0)-\(flavour)" }).first(where: names.contains) else {
                    continue
                }
                found[version] = kernel(version, place, folder, image: image, key: flavour, names)
            }
        }
    }

    // MARK: By content

    /// Images that tell their version themselves. Each is read as a whole, so only those that are left are asked.
    private func byHeader(
        _ modules: [(version: String, folder: GuestPath)], into found: inout [String: Kernel]
    ) throws {
        var taken = Set(try found.values.map { try files.resolve($0.image) })
        for (folder, names) in folders {
            for name in names where Self.imageNames.contains(where: name.hasPrefix) {
                guard modules.contains(where: { found[$0.version] == nil }), taken.count < Self.limit,
                    taken.insert(try files.resolve(folder.appending(name))).inserted,
                    let version = try files.read(folder.appending(name)).flatMap(Self.version),
                    found[version] == nil, let place = modules.first(where: { $0.version == version })?.folder
                else { continue }
                let key = name.firstIndex(of: "-").map { String(name[name.index(after: $0)...]) }
                var kernel = kernel(version, place, folder, image: name, key: key ?? version, names)
                if kernel.initramfs == nil {
                    // One image, one initramfs: made by hand, or Slackware's.
                    kernel.initramfs = ["initrd", "initrd.img", "initramfs.img", "initrd.gz", "initramfs"]
                        .first(where: names.contains).map { folder.appending($0) }
                }
                found[version] = kernel
            }
        }
    }

    /// The version in an image's header (Documentation/arch/x86/boot.rst): "HdrS" at 0x202, and at 0x20E where the text
    /// is, less 0x200; `uname -r` is its first word.
    static func version(of image: [UInt8]) -> String? {
        guard image.count > 0x210, image[0x202..<0x206].elementsEqual("HdrS".utf8) else { return nil }
        let start = Int(LittleEndian(image).u16(0x20E)) + 0x200
        guard start > 0x200, start < image.count else { return nil }
        let word = image[start...].prefix(128).prefix { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
        return word.isEmpty || word.elementsEqual("..".utf8) ? nil : String(decoding: word, as: UTF8.self)
    }

    /// An image that is nowhere but beside the modules: Fedora's and SUSE's packages bring it there.
    private func insideModules(_ version: String, _ modules: GuestPath) throws -> Kernel? {
        let image = modules.appending("vmlinuz")
        guard try files.exists(image) else { return nil }
        let archives = try ["initramfs.img", "initrd"].map { modules.appending($0) }.filter { try files.exists($0) }
        return Kernel(version: version, image: image, initramfs: archives.first, modules: modules)
    }

    // MARK: Order

    /// By the numbers in them: 5.9 is older than 5.10.
    static func isOlder(_ left: String, _ right: String) -> Bool {
        VersionOrder.compare(Array(left.utf8), Array(right.utf8)) < 0
    }
}
