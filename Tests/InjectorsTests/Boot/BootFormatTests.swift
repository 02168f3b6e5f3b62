import Guest
import GuestTesting
import Testing

@testable import Injectors

struct GrubEnvironmentTests {
    private static func block(_ lines: String, size: Int = 1024) -> [UInt8] {
        let text = Array(("# GRUB Environment Block\n" + lines).utf8)
        return text + [UInt8](repeating: 0x23, count: size - text.count)
    }

    @Test func aBlockStaysWhatItIs() throws {
        for lines in ["", "saved_entry=x\n", "a=1\nkernelopts=root=/dev/sda2 ro\\\nx\nb=#\n"] {
            let bytes = Self.block(lines)
            #expect(try #require(GrubEnvironment(bytes)).bytes == bytes)
        }
    }

    @Test func aValueThatGrowsKeepsTheSize() throws {
        var block = try #require(GrubEnvironment(Self.block("a=1\nkernelopts=root=/dev/sda2\nb=2\n")))
        let (line, range) = try #require(block.value(of: "kernelopts"))
        #expect(block.lines[line][range].elementsEqual("root=/dev/sda2".utf8))
        block.replace(line: line, with: Array("kernelopts=root=UUID=0123456789".utf8))
        #expect(block.bytes == Self.block("a=1\nkernelopts=root=UUID=0123456789\nb=2\n"))
        block.replace(line: line, with: [UInt8](repeating: 0x61, count: 1024))
        #expect(block.bytes == nil)
    }

    @Test func otherFilesAreNoBlocks() {
        #expect(GrubEnvironment([]) == nil)
        #expect(GrubEnvironment(Array("saved_entry=0\n".utf8)) == nil)
        #expect(GrubEnvironment(Self.block("no line end")) == nil)
    }
}

struct PlainMenuTests {
    @Test func grubLegacy() {
        let menu = PlainMenu(
            legacy: Array(
                """
                default=1
                timeout=7
                password --md5 $1$x
                title Old (2.6.32)
                \troot (hd0,0)
                \tkernel (hd0,0)/vmlinuz-1 ro root=/dev/sda2
                \tinitrd /initrd-1.img
                title New
                    kernel --type=linux /vmlinuz-2   ro  quiet
                    initrd (hd0,0)/a.img /b.img

                """.utf8))
        #expect(menu.chosen == 1 && menu.timeout == 7 && menu.hasPassword)
        #expect(menu.entries.map { String(decoding: $0.kernel, as: UTF8.self) } == ["/vmlinuz-1", "/vmlinuz-2"])
        #expect(menu.entries[1].options.elementsEqual("ro  quiet".utf8))
        #expect(menu.entries[1].initrds.map { String(decoding: $0, as: UTF8.self) } == ["/a.img", "/b.img"])
    }

    @Test func syslinux() {
        let menu = PlainMenu(
            syslinux: Array(
                """
                DEFAULT menu.c32
                TIMEOUT 10
                LABEL lts
                  MENU LABEL Linux ^lts
                  LINUX vmlinuz-lts
                  INITRD ucode.img,initramfs-lts
                  APPEND root=/dev/sda3 quiet
                label virt
                  menu default
                  kernel vmlinuz-virt
                  append initrd=initramfs-virt root=$x quiet
                """.utf8))
        #expect(menu.chosen == 1 && menu.timeout == 1 && menu.entries.count == 2)
        #expect(menu.entries[0].title.elementsEqual("Linux lts".utf8) && menu.entries[0].initrds.count == 2)
        #expect(menu.entries[1].initrds.first?.elementsEqual("initramfs-virt".utf8) == true)
        #expect(menu.entries[1].options.elementsEqual("root=$x quiet".utf8))
    }

    @Test func aScriptOfIt() throws {
        let files = MemoryGuest([
            "/boot/extlinux.conf": "label a\nlinux vmlinuz\ninitrd initrd\nappend a=$x;halt \"b c\"\n"
        ])
        for name in ["vmlinuz", "initrd"] { files.put("/boot/\(name)", "x") }
        var draft = Draft(over: files, disks: files)
        let loader = BootLoader.syslinux(configuration: "/boot/extlinux.conf")
        let guest = Inspection.sample(
            fileSystems: [FileSystem(device: "/dev/sda1", type: "ext4", uuid: "b0")],
            mounts: [Mount(path: "/boot", device: "/dev/sda1", type: "ext4", free: 0)], bootLoader: loader)
        let menu = try #require(try PlainMenu(of: loader, in: &draft))
        let text = try #require(try menu.script(files, guest: guest, from: "/boot/extlinux.conf"))
        #expect(
            String(decoding: text, as: UTF8.self) == """
                # Written by rehost from /boot/extlinux.conf.
                set timeout=5
                set default=0
                menuentry 'a' {
                    search --no-floppy --fs-uuid --set=root b0
                    linux '/vmlinuz' 'a=$x;halt' 'b c'
                    initrd '/initrd'
                }

                """)
    }
}

struct PEImageTests {
    static func image(_ sections: [(String, [UInt8])], certificates: UInt32 = 0) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 0x40)
        bytes.replaceSubrange(0..<2, with: Array("MZ".utf8))
        bytes.replaceSubrange(0x3C..<0x40, with: LittleEndian.bytes(UInt32(0x40)))
        bytes += Array("PE\u{0}\u{0}".utf8) + LittleEndian.bytes(UInt16(0x8664))
        bytes += LittleEndian.bytes(UInt16(sections.count)) + [UInt8](repeating: 0, count: 12)
        bytes += LittleEndian.bytes(UInt16(240)) + LittleEndian.bytes(UInt16(0x22))
        var optional = [UInt8](repeating: 0, count: 240)
        optional.replaceSubrange(0..<2, with: LittleEndian.bytes(UInt16(0x020B)))
        optional.replaceSubrange(148..<152, with: LittleEndian.bytes(certificates))
        bytes += optional
        var start = bytes.count + sections.count * 40
        for (name, content) in sections {
            bytes += (Array(name.utf8) + [UInt8](repeating: 0, count: 8)).prefix(8)
            for value in [content.count, 0x1000, content.count, start] { bytes += LittleEndian.bytes(UInt32(value)) }
            bytes += [UInt8](repeating: 0, count: 16)
            start += content.count
        }
        return bytes + sections.flatMap(\.1)
    }

    @Test func sections() throws {
        let bytes = Self.image([(".osrel", [1, 2, 3]), (".linux", [4, 5])])
        let image = try #require(PEImage(bytes))
        #expect(image.isUnifiedKernel && !image.isSigned)
        #expect(image.section(".osrel").map { Array(bytes[$0]) } == [1, 2, 3])
        #expect(image.section(".linux").map { Array(bytes[$0]) } == [4, 5])
        #expect(try #require(PEImage(Self.image([], certificates: 8))).isSigned)
    }

    @Test func otherFilesAreNone() {
        #expect(PEImage([]) == nil)
        #expect(PEImage(Array("MZ".utf8)) == nil)
        var bytes = Self.image([])
        bytes.replaceSubrange(0x3C..<0x40, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(PEImage(bytes) == nil)
    }
}

/// Bytes changed at random, the same ones in each run: parsers end, without a trap.
struct BootMutationTests {
    private static func mutants(of bytes: [UInt8], seed: UInt64, count: Int = 300) -> [[UInt8]] {
        var random = SplitMix(state: seed)
        return (0..<count).map { _ in
            var mutant = bytes
            for _ in 0..<1 + random.next() % 6 where !mutant.isEmpty {
                let at = Int(random.next() % UInt64(mutant.count))
                switch random.next() % 4 {
                case 0: mutant[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: mutant.removeSubrange(at...)
                case 2: mutant.insert(contentsOf: mutant.prefix(Int(random.next() % 64)), at: at)
                default: mutant[at] = [0, 0x7F, 0x80, 0xFF][Int(random.next() % 4)]
                }
            }
            return mutant
        }
    }

    @Test func loaderEntries() {
        let bytes = Array("title a\nlinux /k\ninitrd /i $x\noptions \"a b\" ${c} 'd\ngrub_class x\n".utf8)
        for mutant in Self.mutants(of: bytes, seed: 1) {
            for style in [LoaderEntries.Style.grub, .systemd] {
                let entry = LoaderEntry(name: "a+3-1.conf", mutant, style: style)
                let words = GrubScript.words(entry.options)
                #expect(!words.contains(0x0A) && words.count <= entry.options.count * 6)
            }
        }
    }

    @Test func menus() {
        let legacy = Array("default=0\ntitle a\nroot (hd0,0)\nkernel (hd0,0)/k a=b\ninitrd (hd0,0)/i\n".utf8)
        for mutant in Self.mutants(of: legacy, seed: 2) { #expect(PlainMenu(legacy: mutant).entries.count < 100) }
        let syslinux = Array("DEFAULT a\nLABEL a\nMENU LABEL ^b\nLINUX k\nINITRD i,j\nAPPEND initrd=x a=b\n".utf8)
        for mutant in Self.mutants(of: syslinux, seed: 3) { #expect(PlainMenu(syslinux: mutant).entries.count < 100) }
    }

    @Test func grubScripts() throws {
        let text = Array(
            "function f {\nlinux /k root=/dev/sda1 console=hvc0\n}\nset kernelopts=\"root=/dev/sda1\"\nblscfg\n".utf8)
        for mutant in Self.mutants(of: text, seed: 4, count: 100) {
            let guest = DeviceNamesGuest(["/boot/loader/entries/a.conf": "linux /k\n"])
            guest.files.put("/boot/grub/grub.cfg", mutant)
            var draft = Draft(over: guest.files, disks: guest.files)
            try guest.injector.inject(into: &draft, guest: guest.inspection)
            _ = try GrubMenu.plan(in: &draft, guest: guest.inspection)
        }
    }

    @Test func environments() {
        var bytes = Array("# GRUB Environment Block\nkernelopts=root=/dev/sda1\nsaved_entry=1\n".utf8)
        bytes += [UInt8](repeating: 0x23, count: 1024 - bytes.count)
        for mutant in Self.mutants(of: bytes, seed: 5) {
            guard let block = GrubEnvironment(mutant) else { continue }
            #expect(block.bytes == mutant)
        }
    }

    @Test func images() {
        let bytes = PEImageTests.image([(".linux", [1, 2, 3]), (".osrel", [4])])
        for mutant in Self.mutants(of: bytes, seed: 6) {
            for section in PEImage(mutant)?.sections ?? [] { #expect(section.range.upperBound <= mutant.count) }
        }
    }
}
