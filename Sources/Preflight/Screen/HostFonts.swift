internal import Foundation

/// The fonts that this host has and a guest's console may be drawn with. None are of ours, and each may be missing.
enum HostFonts {
    /// Reads them; takes some tens of milliseconds, so the result is to be kept.
    static func load(from places: Places = Places()) -> [GlyphFont] {
        var fonts: [GlyphFont] = []
        if let (path, image) = places.firmware.lazy.compactMap({ path in
            contents(path).map { (path, $0) }
        }).first {
            fonts += GlyphFont.fonts(inFirmware: image, name: name(path))
        }
        if let (path, bytes) = places.bootLoader.lazy.compactMap({ path in
            contents(path).map { (path, $0) }
        }).first,
            let font = GlyphFont(name: name(path), pff2: bytes)
        {
            fonts.append(font)
        }
        for directory in places.console {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for name in names.sorted() where isLikely(name) && fonts.count < limit {
                guard let bytes = contents("\(directory)/\(name)"),
                    let psf = name.hasSuffix(".gz") ? Zlib.gunzip(bytes, limit: fileLimit) : bytes,
                    let font = GlyphFont(name: name, psf: psf)
                else { continue }
                fonts.append(font)
            }
        }
        return fonts
    }

    /// Of the first two, the first one that exists is taken; of the directories, all.
    struct Places {
        var firmware = ["/usr/share/seabios", "/usr/share/qemu", "/usr/share/seavgabios"].map {
            "\($0)/vgabios-stdvga.bin"
        }
        var bootLoader = [
            "/usr/share/grub/unicode.pf2", "/usr/share/grub/ascii.pf2", "/boot/grub/fonts/unicode.pf2",
        ]
        var console = [
            "/usr/share/consolefonts", "/usr/lib/kbd/consolefonts", "/usr/share/kbd/consolefonts",
        ]
    }

    /// Hundreds of fonts are one design with different repertoires. These are what distributions set for Latin
    /// scripts: Debian and Ubuntu (Lat15, Uni2), Fedora and RHEL (eurlatgr, latarcyrheb), SUSE and Arch.
    private static func isLikely(_ name: String) -> Bool {
        let starts = [
            "Lat15-", "Uni2-", "eurlatgr", "latarcyrheb-sun", "lat9w-16", "default8x", "ter-v",
        ]
        return starts.contains { name.hasPrefix($0) }
            && [".psf", ".psfu", ".psf.gz", ".psfu.gz"].contains {
                name.hasSuffix($0)
            }
    }

    private static let limit = 100
    /// In bytes. GRUB's font of all of Unicode has 2.4 MB.
    private static let fileLimit = 8 << 20

    private static func contents(_ path: String) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        return (try? file.read(upToCount: fileLimit)).flatMap { $0 }.map { Array($0) }
    }

    private static func name(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }
}
