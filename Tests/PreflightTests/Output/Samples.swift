import Foundation

@testable import Preflight

/// Reports as they come from real machines, more or less.
enum Samples {
    /// A picture that was drawn for looking at the page; without it, a PNG of one pixel.
    static func picture(_ name: String) -> [UInt8] {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["PREFLIGHT_PAGES"] ?? "/nowhere")
        let file = folder.appending(path: "png/\(name).png")
        if let data = try? Data(contentsOf: file) { return Array(data) }
        let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
        return Array(Data(base64Encoded: pixel)!)
    }

    static func artifacts(_ serial: String, _ pictures: [String: [UInt8]] = [:]) -> BootArtifacts {
        var artifacts = BootArtifacts()
        artifacts.serial = Array(serial.utf8)
        artifacts.pictures = pictures
        return artifacts
    }

    static func healthy(_ name: String = "web01") -> (ImageReport, BootArtifacts) {
        var machine = Machine()
        machine.firmware = .uefi
        machine.bootEntry = #"\EFI\debian\grubx64.efi"#
        var image = ImageReport(
            image: "/srv/convert/out/\(name).qcow2", disks: ["/srv/convert/out/\(name).qcow2"], machine: machine,
            runner: "qemu with kvm", verdict: .boots,
            reason: "A login prompt came after 52 s, with an address from DHCP.")
        image.level = .login
        image.seconds = 61.8
        image.cpuSeconds = 34.2
        image.preparation = ["check the image": 1.3, "lay the witness": 4.8]
        image.stages = [
            Stage(
                .firmware, time: 0.8, source: .serial, sign: "BdsDxe: loading Boot0003 \"debian\" from HD(1,GPT,6F0E)"),
            Stage(.bootLoader, time: 3.1, source: .screen, sign: "GNU GRUB  version 2.06-13+deb12u1"),
            Stage(.kernel, time: 5.2, source: .serial, sign: "[    0.000000] Linux version 6.1.0-18-amd64"),
            Stage(
                .rootMounted, time: 21.4, source: .serial,
                sign: "EXT4-fs (vda2): mounted filesystem with ordered data mode"),
            Stage(.userSpace, time: 24.0, source: .serial, sign: "systemd[1]: Detected virtualization kvm."),
            Stage(.network, time: 48.3, source: .network, sign: "DHCP ack 10.0.2.15"),
            Stage(.login, time: 52.0, source: .serial, sign: "web01 login:"),
        ]
        image.findings = [
            PreflightFinding(.note, "The network card is called enp1s0 now; on the source it was ens192."),
            PreflightFinding(
                .warning, "open-vm-tools is still active inside.",
                hint: "Remove it, or mask it: systemctl mask open-vm-tools."),
        ]
        image.evidence = [
            Evidence(
                .serial, time: 52.0, what: "login prompt", lines: ["Debian GNU/Linux 12 web01 ttyS0", "web01 login:"]),
            Evidence(
                .network, time: 48.3, what: "lease taken", lines: ["DHCP ack 10.0.2.15 to 52:54:00:12:34:56, as web01"]),
            Evidence(.screen, time: 60.2, what: "login prompt", screen: "screen-2"),
        ]
        image.network = network()
        image.witness = witness(name)
        image.agent = AgentFacts(
            version: "7.2.0", system: "Debian GNU/Linux 12 (bookworm)", hostName: name,
            addresses: ["lo": ["127.0.0.1/8", "::1/128"], "enp1s0": ["10.0.2.15/24"]])
        image.screens = [
            ScreenShot(
                name: "screen-1", time: 3.4, width: 720, height: 400, caption: "the boot loader",
                text: ["GNU GRUB  version 2.06-13+deb12u1", "", "*Debian GNU/Linux"]),
            ScreenShot(
                name: "screen-2", time: 60.2, width: 1280, height: 800, caption: "the end",
                text: ["Debian GNU/Linux 12 web01 tty1", "", "web01 login:"]),
        ]
        let log = bootLog() + "Debian GNU/Linux 12 web01 ttyS0\r\n\r\nweb01 login: "
        image.serialTail = [
            "[  OK  ] Reached target graphical.target.", "Debian GNU/Linux 12 web01 ttyS0", "", "web01 login:",
        ]
        return (image, artifacts(log, ["screen-1": picture("boot"), "screen-2": picture("login")]))
    }

    static func network() -> NetworkFacts {
        var facts = NetworkFacts()
        let mac = "52:54:00:12:34:56"
        facts.dhcp = [
            .init(kind: "discover", time: 46.1, mac: mac, hostName: "web01", address: nil),
            .init(kind: "offer", time: 46.1, mac: mac, hostName: nil, address: "10.0.2.15"),
            .init(kind: "request", time: 48.2, mac: mac, hostName: "web01", address: "10.0.2.15"),
            .init(kind: "ack", time: 48.3, mac: mac, hostName: nil, address: "10.0.2.15"),
        ]
        facts.arp = [
            .init(time: 48.9, from: "10.0.2.15", target: "10.0.2.2", isAnswered: true),
            .init(time: 50.9, from: "10.0.2.15", target: "192.168.40.1", isAnswered: false),
        ]
        facts.sourceAddresses = ["10.0.2.15"]
        facts.sourceAddresses6 = ["fe80::5054:ff:fe12:3456"]
        facts.macs = [mac]
        (facts.sent, facts.received, facts.firstFrame) = (1242, 118, 24.6)
        return facts
    }

    static func witness(_ name: String) -> WitnessFacts {
        var facts = WitnessFacts()
        facts.firmware = "uefi"
        facts.kernel = "6.1.0-18-amd64"
        facts.system = "Debian GNU/Linux 12 (bookworm)"
        facts.hostName = name
        (facts.rootDevice, facts.rootFileSystem, facts.rootDriver, facts.rootDisk) = (
            "/dev/vda2", "ext4", "virtio_blk", 0
        )
        facts.cards = [
            .init(
                name: "enp1s0", driver: "virtio_net", mac: "52:54:00:12:34:56", state: "up",
                addresses: ["10.0.2.15/24", "fec0::5054:ff:fe12:3456/64"], isDynamic: true)
        ]
        facts.defaultRoutes = ["default via 10.0.2.2 dev enp1s0"]
        facts.nameServers = ["10.0.2.3"]
        facts.state = "degraded"
        facts.failedUnits = ["vmware-tools.service", "mnt-backup.mount"]
        facts.missingMounts = ["/mnt/backup"]
        facts.upTime = 47.4
        facts.bootTime = "41.20 s"
        facts.tools = ["open-vm-tools": "active", "qemu-guest-agent": "active"]
        facts.clockOffset = 0.4
        facts.hasLogin = true
        facts.errors = [
            "mount: /mnt/backup: can't find LABEL=backup.", "Failed to mount mnt-backup.mount - /mnt/backup.",
        ]
        facts.isComplete = true
        return facts
    }

    static func bootLog(lines: Int = 400) -> String {
        var log = "\u{1B}[2J\u{1B}[01;01HBdsDxe: loading Boot0003 \"debian\" from HD(1,GPT,6F0E)\r\n"
        log += "[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)\r\n"
        for number in 0..<lines {
            let time = String(format: "%12.6f", Double(number) * 0.01 + 0.1)
            log +=
                "[\(time)] pci 0000:00:\(String(number % 32, radix: 16)).0: BAR \(number % 6): assigned [mem 0xfe\(number)]\r\n"
        }
        log +=
            "[    **] A start job is running for dev-disk (3s)\r[ \u{1B}[0;32m OK \u{1B}[0m] Reached target network.target.\u{1B}[K\r\n"
        return log
    }

    static func panic() -> (ImageReport, BootArtifacts) {
        var image = ImageReport(
            image: "/srv/convert/out/db01.qcow2",
            disks: ["/srv/convert/out/db01.qcow2", "/srv/convert/out/db01-data.qcow2"],
            machine: Machine(), runner: "qemu with tcg", verdict: .kernelPanic,
            reason: "The kernel could not mount its root file system: no driver for the disk, or a wrong root=.")
        image.remedy =
            "Put virtio_blk into the initramfs (dracut --add-drivers virtio_blk), or boot it with --bus sata."
        image.level = .kernel
        image.seconds = 9.2
        image.stages = [
            Stage(.firmware, time: 0.7, source: .serial, sign: "SeaBIOS (version 1.16.2-debian-1.16.2-1)"),
            Stage(.bootLoader, time: 0.8, source: .screen, sign: "GRUB loading."),
            Stage(.kernel, time: 0.9, source: .serial, sign: "[    0.000000] Linux version 5.14.0-362.el9.x86_64"),
        ]
        let lines = [
            "[    8.912034] VFS: Cannot open root device \"UUID=6f0e-11\" or unknown-block(0,0): error -6",
            "[    8.913120] Please append a correct \"root=\" boot option; here are the available partitions:",
            "[    8.914230] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
            "[    8.915330] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 5.14.0-362.el9.x86_64 #1",
        ]
        image.evidence = [
            Evidence(.serial, time: 8.9, what: "kernel panic", lines: lines),
            Evidence(.screen, time: 9.0, what: "the same on the screen", screen: "screen-1"),
            Evidence(
                .disk, time: 0, what: "initramfs without a driver for virtio",
                lines: ["/boot/initramfs-5.14.0-362.el9.img: ahci, vmw_pvscsi"]),
        ]
        image.findings = [PreflightFinding(.warning, "The initramfs has vmw_pvscsi and not virtio_blk.")]
        image.screens = [
            ScreenShot(name: "screen-1", time: 9.0, width: 720, height: 400, caption: "the end", text: lines)
        ]
        image.serialTail = lines
        return (
            image,
            artifacts(bootLog(lines: 30_000) + lines.joined(separator: "\r\n") + "\r\n", ["screen-1": picture("panic")])
        )
    }

    static func noBootDevice() -> (ImageReport, BootArtifacts) {
        var image = ImageReport(
            image: "old/legacy-erp.vmdk", disks: ["old/legacy-erp.vmdk"], machine: Machine(), runner: "qemu with kvm",
            verdict: .noBootDevice, reason: "The firmware found nothing to start on the disk.")
        image.remedy = "The disk is GPT with an EFI system partition: boot it with --firmware uefi."
        image.level = .firmware
        image.seconds = 4.1
        image.stages = [Stage(.firmware, time: 0.6, source: .screen, sign: "SeaBIOS (version 1.16.2-debian-1.16.2-1)")]
        let text = ["Booting from Hard Disk...", "Boot failed: not a bootable disk", "", "No bootable device."]
        image.evidence = [Evidence(.screen, time: 3.9, what: "no bootable device", lines: text, screen: "screen-1")]
        image.screens = [
            ScreenShot(name: "screen-1", time: 3.9, width: 720, height: 400, caption: "the end", text: text)
        ]
        return (image, artifacts("", [:]))
    }

    static func blueScreen() -> (ImageReport, BootArtifacts) {
        var image = ImageReport(
            image: "/srv/convert/out/win2019-dc.qcow2", disks: ["/srv/convert/out/win2019-dc.qcow2"],
            machine: Machine(),
            runner: "libvirt qemu:///system", verdict: .blueScreen,
            reason: "Windows stopped with INACCESSIBLE_BOOT_DEVICE: it has no driver for the disk.")
        image.remedy = "Install the viostor driver, or boot it with --bus sata."
        image.level = .bootLoader
        image.seconds = 38.5
        image.stages = [
            Stage(.firmware, time: 0.9, source: .serial, sign: "BdsDxe: starting Boot0001"),
            Stage(.bootLoader, time: 6.0, source: .screen, sign: "Windows boot manager"),
        ]
        image.evidence = [
            Evidence(
                .screen, time: 36.0, what: "stop screen",
                lines: ["Your device ran into a problem", "Stop code: INACCESSIBLE_BOOT_DEVICE"], screen: "screen-1")
        ]
        image.screens = [
            ScreenShot(
                name: "screen-1", time: 36, width: 1024, height: 768, caption: "the end",
                text: [":(", "Stop code: INACCESSIBLE_BOOT_DEVICE"])
        ]
        return (image, artifacts("BdsDxe: starting Boot0001\r\n", ["screen-1": picture("blue")]))
    }

    static func noNetwork() -> (ImageReport, BootArtifacts) {
        var (image, artifacts) = healthy("mail02")
        image.verdict = .noNetwork
        image.reason = "The system came up and has no address: its configuration names ens192, the card is enp1s0."
        image.remedy = "Rename the interface in /etc/network/interfaces, or pin the name with a .link file."
        image.stages.removeAll { $0.level == .network }
        image.network?.dhcp = []
        image.network?.arp = []
        image.network?.sourceAddresses = []
        image.witness?.cards[0].addresses = []
        return (image, artifacts)
    }

    static func notTested() -> (ImageReport, BootArtifacts) {
        let image = ImageReport(
            image: "broken.vmdk", disks: ["broken.vmdk"], machine: Machine(), runner: "qemu with kvm",
            verdict: .notTested,
            reason: "The image could not be opened: its descriptor names an extent that isn’t there.")
        return (image, BootArtifacts())
    }

    static let poison =
        "</script><img src=x onerror=alert(1)>]]>\u{1B}[31m\u{202E}\u{0}\u{9B}\u{FFFE}\"' &amp; --> \u{2066}x"

    static func hostile() -> (ImageReport, BootArtifacts) {
        let long = String(repeating: "A<b>", count: 2_500)
        var (image, artifacts) = healthy()
        image.image = "/srv/\(poison).qcow2"
        image.disks = [image.image, poison]
        image.runner = poison
        image.machine.bootEntry = poison
        image.verdict = .hang
        image.reason = poison
        image.remedy = long
        image.findings = [PreflightFinding(.warning, poison, hint: long)]
        image.evidence = [Evidence(.serial, time: .nan, what: poison, lines: [poison, long, ""], screen: poison)]
        image.stages = [
            Stage(.firmware, time: -.infinity, source: .serial, sign: poison),
            Stage(.kernel, time: 1e300, source: .serial, sign: long),
        ]
        image.screens = [
            ScreenShot(name: poison, time: 1, width: -5, height: 0, caption: poison, text: [poison, long]),
            ScreenShot(name: "screen-1", time: .nan, width: 1, height: 1, caption: long, text: [poison]),
        ]
        image.network?.dhcp.append(.init(kind: poison, time: 1, mac: poison, hostName: poison, address: poison))
        image.network?.arp = (0..<500).map { .init(time: Double($0), from: poison, target: poison, isAnswered: false) }
        image.network?.macs = [poison]
        image.witness?.system = poison
        image.witness?.failedUnits = (0..<90).map { "\(poison)\($0)" }
        image.witness?.tools = [poison: poison]
        image.witness?.cards = [
            .init(name: poison, driver: long, mac: poison, state: poison, addresses: [poison], isDynamic: true)
        ]
        image.witness?.errors = [poison, long]
        image.agent = AgentFacts(version: poison, system: poison, hostName: poison, addresses: [poison: [poison]])
        image.serialTail = [poison, long]
        image.preparation = [poison: .infinity]
        (image.seconds, image.cpuSeconds) = (.infinity, -3)
        artifacts.serial = Array("\(poison)\r\n\(long)\r\n".utf8) + [0xFF, 0xFE, 0x1B, 0x5B]
        artifacts.pictures = [poison: [0x3C, 0x73, 0x76, 0x67], "screen-1": picture("boot")]
        return (image, artifacts)
    }

    static func batch() -> [(ImageReport, BootArtifacts)] {
        var all = [healthy(), panic(), healthy("web02"), noBootDevice(), healthy("proxy"), blueScreen(), noNetwork()]
        all += [
            healthy("git"), healthy("wiki"), notTested(), healthy("monitoring-with-a-rather-long-name.example.org"),
        ]
        var bare = healthy("ns1")
        bare.0.findings = []
        bare.0.network = nil
        bare.0.witness = nil
        bare.0.agent = nil
        return all + [bare]
    }

    static var everything: [(ImageReport, BootArtifacts)] { batch() + [hostile()] }
}
