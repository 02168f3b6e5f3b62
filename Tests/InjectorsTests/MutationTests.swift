import Archives
import Guest
import GuestTesting
import Testing

@testable import Injectors

/// Configuration files with something wrong in them: a plan, with a warning or a blocker perhaps, or an error.
struct MutationTests {
    /// A format's file, what is in it, and words that matter there.
    struct Format: Sendable, CustomTestStringConvertible {
        var name: String
        var path: GuestPath
        var texts: [String]
        var tokens: [String] = []
        var testDescription: String { name }
    }

    // MARK: Networks

    static let networks = [
        Format(
            name: "ifupdown", path: "/etc/network/interfaces",
            texts: [
                """
                source /etc/network/interfaces.d/*
                auto lo eth0
                iface lo inet loopback
                # The primary \\
                allow-hotplug eth0
                iface eth0 inet static
                    address 192.168.77.10/24
                    gateway 192.168.77.1
                    dns-nameservers 192.168.77.53 1.1.1.1
                    up ip route add 10.0.0.0/8 via 192.168.77.2 dev $IFACE || true
                iface eth0 inet6 static
                    address 2001:db8::10
                    netmask 64
                mapping eth1
                    script /bin/x
                    map home eth1-home

                """,
                """
                auto bond0 vlan10 br0
                iface bond0 inet manual
                    bond-slaves eth0 eth1
                    bond-mode 802.3ad
                iface vlan10 inet static
                    vlan-raw-device bond0
                    address 10.1.1.1
                    netmask 255.255.255.0
                iface br0 inet static
                    bridge_ports bond0.20
                    address 10.2.2.2/16

                """,
            ],
            tokens: [
                "iface ", "auto ", "inet", "static", "address ", "source ", "source-directory ", "\\\n", "mapping ",
            ]),
        Format(
            name: "netplan", path: "/etc/netplan/50-cloud-init.yaml",
            texts: [
                """
                network:
                  version: 2
                  ethernets:
                    ens192:   # the only one
                      dhcp4: no
                      match: {macaddress: "00:50:56:aa:bb:cc"}
                      set-name: ens192
                      addresses: [192.168.77.10/24, "2001:db8::10/64"]
                      routes:
                        - to: default
                          via: 192.168.77.1
                      nameservers:
                        addresses:
                        - 192.168.77.53
                  bonds:
                    bond0: {interfaces: [a, b], addresses: [10.0.0.1/8]}
                  vlans:
                    v10: &anchor
                      id: 10
                      link: bond0
                    v11: *anchor

                """,
                "%YAML 1.1\n---\nnetwork: {ethernets: {eth0: {addresses: ['10.0.0.2/8']}}}\n...\n",
                "network:\n  ethernets:\n    eth0:\n      addresses: |\n        text\n      x: >-\n        more\n",
            ],
            tokens: [
                "- ", "? ", "&a", "*a", "<<: ", "|", ">-", "{", "[", "\n\t", "!!binary ", "---\n", "addresses:", "  ",
            ]),
        Format(
            name: "cloud-init", path: "/etc/cloud/cloud.cfg.d/90-network.cfg",
            texts: [
                """
                network:
                  version: 1
                  config:
                  - type: physical
                    name: eth0
                    mac_address: '00:50:56:aa:bb:cc'
                    subnets:
                    - {type: static, address: 192.168.77.10/24, gateway: 192.168.77.1}
                  - type: nameserver
                    address: [192.168.77.53]

                """
            ], tokens: ["type: static", "subnets:", "- ", "{"]),
        Format(
            name: "keyfile", path: "/etc/NetworkManager/system-connections/ens192.nmconnection",
            texts: [
                """
                [connection]
                id=ens192
                uuid=0f0e0d0c-0b0a-0908-0706-050403020100
                type=ethernet
                interface-name=ens192

                [ethernet]
                mac-address=00:50:56:AA:BB:CC

                [ipv4]
                method=manual
                address1=192.168.77.10/24,192.168.77.1
                dns=192.168.77.53;
                route1=10.0.0.0/8,192.168.77.2,100

                [ipv6]
                method=manual
                addresses=2001:db8::10/64;

                """
            ], tokens: ["[ipv4]\n", "method=manual", "address1=", "[", "]", ";"]),
        Format(
            name: "networkd", path: "/etc/systemd/network/10-ens192.network",
            texts: [
                """
                [Match]
                Name=ens192 eth*
                MACAddress=00:50:56:aa:bb:cc

                [Network]
                Address=192.168.77.10/24
                Gateway=192.168.77.1
                DNS=192.168.77.53
                VLAN=vlan10
                Bond=bond0

                [Address]
                Address=10.0.0.1/8

                [Route]
                Destination=10.0.0.0/8
                Gateway=192.168.77.2

                """
            ], tokens: ["[Match]\n", "[Network]\n", "[Address]\n", "Name=", "\\\n"]),
    ]

    @Test(arguments: networks) func network(_ format: Format) {
        let violations = Mutation.run(format.name, corpus: format.texts.map { Array($0.utf8) }, tokens: format.tokens) {
            input in
            let guest = MemoryGuest(dhclient + ["/usr/bin/cloud-init": "", "/usr/sbin/NetworkManager": ""])
            guest.put(format.path, input)
            let plan = try ConvertedGuest.plan(guest)
            guard plan.blockers.isEmpty else { return }
            try guest.apply(plan) { _ in }
            let second = try ConvertedGuest.plan(guest)
            #expect(second.items.isEmpty, "the second plan isn't empty")
        }
        #expect(violations == [])
    }

    // MARK: Device names

    static let deviceFiles = [
        Format(
            name: "fstab", path: "/etc/fstab",
            texts: [
                """
                # <file system> <mount point> <type> <options> <dump> <pass>
                UUID=root-uuid / ext4 errors=remount-ro 0 1
                /dev/sda5 none swap sw,pri=10 0 0
                /dev/sdb1 /srv/with\\040space ext4 defaults
                /dev/mapper/vg-lv /var xfs defaults,x-systemd.device-timeout=10 0 2

                """
            ], tokens: ["/dev/sda", "/dev/sda5", "UUID=", "LABEL=", "\\040", "nofail", "none"]),
        Format(
            name: "crypttab", path: "/etc/crypttab",
            texts: ["swap /dev/sda5 /dev/urandom swap,cipher=aes-xts-plain64\nroot UUID=root-uuid none luks\n"],
            tokens: ["/dev/sda5", "keyfile:/dev/sda1", "none", "luks"]),
        Format(
            name: "grub", path: "/boot/grub/grub.cfg",
            texts: [
                """
                set default="0"
                menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple' {
                    insmod gzio
                    search --no-floppy --fs-uuid --set=root root-uuid
                    linux /boot/vmlinuz-6.1.0-18-amd64 root=/dev/sda1 ro quiet resume=/dev/sda5 \\
                        console=tty0
                    initrd /boot/initrd.img-6.1.0-18-amd64
                }

                """
            ], tokens: ["root=/dev/sda1", "linux ", "initrd ", "resume=", "menuentry '", "}", "\\\n"]),
        Format(
            name: "grub-defaults", path: "/etc/default/grub",
            texts: ["GRUB_CMDLINE_LINUX=\"root=/dev/sda1 resume=/dev/sda5\"\nGRUB_DEVICE=/dev/sda1\n"],
            tokens: ["GRUB_CMDLINE_LINUX=", "/dev/sda1", "\"", "'"]),
        Format(
            name: "loader-entry", path: "/boot/loader/entries/x.conf",
            texts: ["title Debian\nlinux /vmlinuz\ninitrd /initrd\noptions root=/dev/sda1 ro resume=/dev/sda5\n"],
            tokens: ["options ", "root=/dev/sda1", "linux "]),
        Format(
            name: "lvm", path: "/etc/lvm/lvm.conf",
            texts: [
                """
                devices {
                    # one of them
                    filter = [ "a|^/dev/sda[0-9]*$|", "r/.*/" ]
                    global_filter = ["a|sd.*|", "r|.*|"]
                    scan = "/dev"
                }

                """
            ], tokens: ["filter", "=", "[", "]", "\"", "a|", "r|.*|", "\\"]),
    ]

    @Test(arguments: deviceFiles) func deviceNames(_ format: Format) {
        let violations = Mutation.run(format.name, corpus: format.texts.map { Array($0.utf8) }, tokens: format.tokens) {
            input in
            var files: [GuestPath: String] = ["/etc/fstab": "UUID=root-uuid / ext4 defaults 0 1\n"]
            files["/boot/grub/grub.cfg"] = "linux /boot/vmlinuz-6.1.0-18-amd64 root=UUID=root-uuid ro\n"
            let guest = DeviceNamesGuest(files)
            guest.files.put(format.path, input)
            let plan = try guest.plan()
            guard plan.blockers.isEmpty else { return }
            try guest.files.apply(plan) { _ in }
            #expect(try guest.plan().items.isEmpty, "the second plan isn't empty")
        }
        #expect(violations == [])
    }

    // MARK: initramfs

    @Test func initramfs() throws {
        let archive = Cpio.archive([
            .directory("usr"), .file("usr/lib/modules/6.1/kernel/virtio.ko", [1, 2, 3]), .file("init", [4]),
        ])
        let early = Cpio.archive([.file("kernel/x86/microcode/GenuineIntel.bin", [1, 1])])
        let gzip = try Compression.gzip.encode(archive)
        let zstd = try Compression.zstd.encode(archive)
        let violations = Mutation.run(
            "initramfs", corpus: [archive, gzip, early + gzip + [0, 0, 0, 0] + archive, early + zstd],
            tokens: ["070701", "TRAILER!!!", "\u{1F}\u{8B}", "BZh9"]
        ) { input in
            let content = try Initramfs(input)
            _ = content.modules(of: "6.1")
        }
        #expect(violations == [])
    }

    /// depmod's lists, through the whole adaptation.
    @Test func moduleIndexes() throws {
        let kernel = SampleKernel()
        let files = try kernel.files()
        let names: [GuestPath] = [kernel.folder.appending("modules.dep"), kernel.folder.appending("modules.builtin")]
        for (name, path) in zip(["modules-dep", "modules-builtin"], names) {
            let violations = Mutation.run(
                name, corpus: [files[path] ?? []], tokens: ["virtio_blk.ko", ": ", ".ko.xz", "../../etc/shadow"]
            ) { input in
                let guest = MemoryGuest()
                try kernel.put(into: guest)
                guest.put(path, input)
                _ = try VirtioInitramfs(method: .auto).plan(guest, .sample(kernels: [kernel.kernel]))
            }
            #expect(violations == [])
        }
    }
}

private func + (left: [GuestPath: String], right: [GuestPath: String]) -> [GuestPath: String] {
    left.merging(right) { $1 }
}
