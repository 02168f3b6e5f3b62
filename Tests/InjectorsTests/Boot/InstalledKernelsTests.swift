import Guest
import GuestTesting
import Testing

@testable import Injectors

struct InstalledKernelsTests {
    private func find(_ files: [GuestPath], _ more: (MemoryGuest) -> Void = { _ in }) throws -> [Kernel] {
        let guest = MemoryGuest()
        for file in files { guest.put(file, "x") }
        more(guest)
        return try InstalledKernels.find(in: guest)
    }

    private func summary(_ kernels: [Kernel]) -> [String] {
        kernels.map { kernel in
            ([kernel.version, "\(kernel.image)", kernel.initramfs?.description ?? "-"]
                + kernel.otherInitramfs.map(\.name)).joined(separator: " ")
        }
    }

    @Test(arguments: [
        ("vmlinuz-6.1", "initrd.img-6.1"), ("vmlinuz-6.1", "initramfs-6.1.img"), ("vmlinuz-6.1", "initrd-6.1"),
        ("kernel-6.1", "initramfs-6.1"), ("bzImage-6.1", "initrd-6.1.img"), ("vmlinux-6.1.gz", "initrd-6.1"),
        ("vmlinuz-generic-6.1", "initrd-6.1.gz"),
        ("kernel-genkernel-x86_64-6.1", "initramfs-genkernel-x86_64-6.1"),
    ])
    func namesWithAVersion(_ image: String, _ archive: String) throws {
        for modules in ["/lib/modules", "/usr/lib/modules"] {
            let kernels = try find(["/boot/\(image)", "/boot/\(archive)", "\(modules)/6.1/modules.dep"])
            #expect(summary(kernels) == ["6.1 /boot/\(image) /boot/\(archive)"])
            #expect(kernels.map(\.modules) == ["\(modules)/6.1"])
        }
    }

    @Test func theImageThatStartsIsTakenBeforeTheOneForDebuggers() throws {
        let kernels = try find([
            "/boot/vmlinux-6.4-default.gz", "/boot/vmlinuz-6.4-default", "/lib/modules/6.4-default/modules.dep",
        ])
        #expect(summary(kernels) == ["6.4-default /boot/vmlinuz-6.4-default -"])
    }

    @Test func archNamesByPackage() throws {
        let kernels = try find([
            "/boot/vmlinuz-linux", "/boot/initramfs-linux.img", "/boot/initramfs-linux-fallback.img",
            "/boot/vmlinuz-linux-lts", "/boot/initramfs-linux-lts.img", "/usr/lib/modules/6.12.1-arch1-1/modules.dep",
            "/usr/lib/modules/6.6.63-1-lts/modules.dep",
        ]) { guest in
            guest.put("/usr/lib/modules/6.12.1-arch1-1/pkgbase", "linux\n")
            guest.put("/usr/lib/modules/6.6.63-1-lts/pkgbase", "linux-lts\n")
        }
        #expect(
            summary(kernels) == [
                "6.6.63-1-lts /boot/vmlinuz-linux-lts /boot/initramfs-linux-lts.img",
                "6.12.1-arch1-1 /boot/vmlinuz-linux /boot/initramfs-linux.img initramfs-linux-fallback.img",
            ])
    }

    @Test func alpineNamesByFlavour() throws {
        let files: [GuestPath] = [
            "/boot/vmlinuz-lts", "/boot/initramfs-lts", "/boot/vmlinuz-virt", "/boot/initramfs-virt",
            "/lib/modules/6.6.58-0-lts/modules.dep", "/lib/modules/6.6.58-0-virt/modules.dep",
        ]
        #expect(
            summary(try find(files)) == [
                "6.6.58-0-lts /boot/vmlinuz-lts /boot/initramfs-lts",
                "6.6.58-0-virt /boot/vmlinuz-virt /boot/initramfs-virt",
            ])
        // What an upgrade left behind: the image itself tells whose modules are its own.
        let kernels = try find(files + ["/lib/modules/6.6.40-0-lts/modules.dep"]) { guest in
            guest.put("/boot/vmlinuz-lts", SampleKernel.image(version: "6.6.58-0-lts"))
        }
        #expect(kernels.map(\.version) == ["6.6.58-0-lts", "6.6.58-0-virt"])
        #expect(kernels.first?.initramfs == "/boot/initramfs-lts")
    }

    @Test func kernelInstallsLayout() throws {
        let id = "8d0f3e1c5a7b4c6d9e0f1a2b3c4d5e6f"
        for esp in ["/boot", "/efi", "/boot/efi"] {
            let place = "\(esp)/\(id)/6.11.4"
            let kernels = try find(
                ["\(place)/linux", "\(place)/initrd", "/usr/lib/modules/6.11.4/modules.dep"].map(GuestPath.init(_:)))
            #expect(summary(kernels) == ["6.11.4 \(place)/linux \(place)/initrd"])
        }
    }

    @Test func anImageThatSaysItsVersion() throws {
        let kernels = try find(["/boot/initrd.gz", "/lib/modules/5.15.94/modules.dep"]) { guest in
            guest.put("/boot/vmlinuz", SampleKernel.image(version: "5.15.94"))
        }
        #expect(summary(kernels) == ["5.15.94 /boot/vmlinuz /boot/initrd.gz"])
        #expect(InstalledKernels.version(of: []) == nil)
        #expect(InstalledKernels.version(of: [UInt8](repeating: 0xFF, count: 5000)) == nil)
        var image = SampleKernel.image(version: "6")
        image.replaceSubrange(0x20E..<0x210, with: [0xFF, 0xFF])
        #expect(InstalledKernels.version(of: image) == nil)
    }

    @Test func imagesBesideTheModules() throws {
        let kernels = try find(["/usr/lib/modules/6.11/vmlinuz", "/usr/lib/modules/6.11/modules.dep"])
        #expect(summary(kernels) == ["6.11 /usr/lib/modules/6.11/vmlinuz -"])
    }

    @Test func modulesAloneAreNoKernel() throws {
        #expect(try find(["/lib/modules/6.1/modules.dep", "/boot/vmlinuz-6.2"]).isEmpty)
        #expect(try find(["/boot/vmlinuz-6.2", "/lib/modules/6.2/kernel/a.ko"]).isEmpty)
    }

    @Test func aCrashKernelsInitramfsGoesWithItsKernel() throws {
        let kernels = try find([
            "/boot/vmlinuz-3.10.el7", "/boot/initramfs-3.10.el7.img", "/boot/initramfs-3.10.el7kdump.img",
            "/lib/modules/3.10.el7/modules.dep",
        ])
        #expect(
            summary(kernels) == [
                "3.10.el7 /boot/vmlinuz-3.10.el7 /boot/initramfs-3.10.el7.img initramfs-3.10.el7kdump.img"
            ])
    }

    @Test func theNewestIsLast() {
        let sorted = ["5.10.0-9", "6.1.0-18", "5.9.1", "5.10.0-28", "6.1.0-9"].sorted(by: InstalledKernels.isOlder)
        #expect(sorted == ["5.9.1", "5.10.0-9", "5.10.0-28", "6.1.0-9", "6.1.0-18"])
        #expect(!InstalledKernels.isOlder("6.1", "6.1"))
        #expect(InstalledKernels.isOlder("2.6.18-398.el5", "2.6.25"))
    }
}
