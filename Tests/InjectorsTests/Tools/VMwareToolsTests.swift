import Guest
import GuestTesting
import Testing

@testable import Injectors

struct VMwareToolsTests {
    private let units: GuestPath = "/etc/systemd/system"

    private func systemd(_ files: [GuestPath: String] = [:]) -> MemoryGuest {
        let guest = MemoryGuest(files)
        guest.put("/usr/lib/systemd/systemd", "ELF")
        guest.link("/sbin/init", to: "/lib/systemd/systemd")
        guest.link("/lib", to: "usr/lib")
        guest.folder("/etc/systemd/system")
        return guest
    }

    private func plan(_ guest: MemoryGuest) throws -> Plan {
        let inspection = Inspection(
            osRelease: OSRelease(id: "debian"), architecture: "x86_64", hostName: nil, firmware: .bios, disks: [],
            fileSystems: [], mounts: [], kernels: [], bootLoader: .unknown, networkFormats: [], tools: [])
        var draft = Draft(over: guest, disks: guest)
        let injector = VMwareTools()
        draft.injector = injector.name
        #expect(injector.applies(to: inspection))
        try injector.inject(into: &draft, guest: inspection)
        return try draft.plan()
    }

    private func convert(_ guest: MemoryGuest, sourceLocation: SourceLocation = #_sourceLocation) throws -> Plan {
        let first = try plan(guest)
        try guest.apply(first) { _ in }
        let second = try plan(guest)
        #expect(second.isEmpty && second.formerSettings.isEmpty, "\(second.items)", sourceLocation: sourceLocation)
        return first
    }

    private func masks(_ names: String...) -> [Change] {
        names.map { .symlink(units.appending($0), target: "/dev/null") }
    }

    // MARK: systemd

    @Test func debianPackage() throws {
        let guest = systemd([
            "/usr/lib/systemd/system/open-vm-tools.service": "[Service]\n",
            "/usr/lib/systemd/system/vgauth.service": "[Service]\n",
            "/usr/lib/systemd/system/run-vmblock\\x2dfuse.mount": "[Mount]\n",
            "/usr/lib/systemd/system/ssh.service": "[Service]\n",
            "/etc/init.d/open-vm-tools": "#!/bin/sh\n",
        ])
        guest.link("/etc/systemd/system/vmtoolsd.service", to: "/lib/systemd/system/open-vm-tools.service")
        guest.link(
            "/etc/systemd/system/multi-user.target.wants/open-vm-tools.service",
            to: "/lib/systemd/system/open-vm-tools.service")
        let plan = try convert(guest)
        #expect(
            plan.items.map(\.change)
                == masks("open-vm-tools.service", "run-vmblock\\x2dfuse.mount", "vgauth.service", "vmtoolsd.service"))
        let former = plan.formerSettings
        #expect(former.map(\.kind) == Array(repeating: "enabled-service", count: 4))
        #expect(
            former.first { $0.subject == "open-vm-tools.service" }?.values
                == ["enabled-by": ["multi-user.target.wants/open-vm-tools.service"]])
        #expect(
            former.first { $0.subject == "vmtoolsd.service" }?.values["link-to"]
                == ["/lib/systemd/system/open-vm-tools.service"])
    }

    @Test func redHatPackage() throws {
        let guest = systemd([
            "/usr/lib/systemd/system/vmtoolsd.service": "x", "/usr/lib/systemd/system/vgauthd.service": "x",
        ])
        #expect(try convert(guest).items.map(\.change) == masks("vgauthd.service", "vmtoolsd.service"))
    }

    @Test func anAliasOfAnyNameIsMaskedToo() throws {
        let guest = systemd(["/usr/lib/systemd/system/vmtoolsd.service": "x"])
        guest.link("/etc/systemd/system/guest-agent.service", to: "../../../usr/lib/systemd/system/vmtoolsd.service")
        guest.link("/etc/systemd/system/sshd.service", to: "/lib/systemd/system/ssh.service")
        #expect(try convert(guest).items.map(\.change) == masks("guest-agent.service", "vmtoolsd.service"))
    }

    @Test(arguments: ["/etc/systemd/system/open-vm-tools.service", "/usr/lib/systemd/system/open-vm-tools.service"])
    func whatIsMaskedStaysSo(path: GuestPath) throws {
        let guest = systemd()
        guest.link(path, to: "/dev/null")
        #expect(try convert(guest) == Plan())
        let empty = systemd(["/etc/systemd/system/open-vm-tools.service": ""])
        #expect(try convert(empty) == Plan())
    }

    @Test func tarballWithItsOwnUnitFile() throws {
        let guest = systemd([
            "/etc/systemd/system/vmware-tools.service": "[Service]\nExecStart=x\n",
            "/etc/init.d/vmware-tools": "#!/bin/sh\n",
            "/etc/init.d/vmware-tools-thinprint": "#!/bin/sh\n",
            "/etc/init.d/vmware-CAFCommAmqpListener": "#!/bin/sh\n",
            "/etc/init.d/vmware-workstation-server": "#!/bin/sh\n",
        ])
        let kept: GuestPath = "/etc/systemd/system/vmware-tools.service.before-rehost"
        let plan = try convert(guest)
        #expect(
            Set(plan.items.compactMap { $0.change.path?.name })
                == [
                    "vmware-tools.service", "vmware-tools.service.before-rehost", "vmware-tools-thinprint.service",
                    "vmware-CAFCommAmqpListener.service",
                ])
        #expect(try guest.text(kept) == "[Service]\nExecStart=x\n")
        #expect(try guest.entry(at: "/etc/systemd/system/vmware-tools.service")?.kind == .symlink(target: "/dev/null"))
        #expect(plan.formerSettings.contains { $0.values["kept-as"] == [kept.description] })
    }

    @Test func anEarlierCopyIsNotOverwritten() throws {
        let guest = systemd([
            "/etc/systemd/system/vmware-tools.service": "new",
            "/etc/systemd/system/vmware-tools.service.before-rehost": "old",
        ])
        _ = try convert(guest)
        #expect(try guest.text("/etc/systemd/system/vmware-tools.service.before-rehost") == "old")
        #expect(try guest.text("/etc/systemd/system/vmware-tools.service.before-rehost-2") == "new")
    }

    @Test func aFolderWithAUnitsNameIsLeftAlone() throws {
        let guest = systemd(["/usr/lib/systemd/system/vmtoolsd.service": "x"])
        guest.folder("/etc/systemd/system/vmtoolsd.service")
        let plan = try plan(guest)
        #expect(plan.isEmpty)
        #expect(plan.warnings.count == 1)
    }

    @Test func guestsWithoutToolsStayAsTheyAre() throws {
        #expect(try convert(systemd(["/usr/lib/systemd/system/ssh.service": "x", "/etc/fstab": "# none\n"])) == Plan())
        #expect(try convert(MemoryGuest()) == Plan())
    }

    // MARK: Older init systems

    @Test func upstart() throws {
        let guest = MemoryGuest([
            "/sbin/init": "ELF", "/etc/init/rc.conf": "x", "/etc/init/vmware-tools.conf": "start on x\n",
            "/etc/init/vmware-tools-thinprint.conf": "start on x\n",
            "/etc/init/vmware-tools-thinprint.override": "start on never",
        ])
        let plan = try convert(guest)
        #expect(plan.items.count == 2)
        #expect(try guest.text("/etc/init/vmware-tools.override") == "manual\n")
        #expect(try guest.text("/etc/init/vmware-tools-thinprint.override") == "start on never\nmanual\n")
        #expect(plan.formerSettings.count == 2)
    }

    @Test func scriptsOfSysVInit() throws {
        let guest = MemoryGuest([
            "/sbin/init": "ELF", "/etc/init.d/vmware-tools": "x", "/etc/init.d/open-vm-tools": "x",
            "/etc/init.d/ssh": "x",
        ])
        guest.link("/etc/rc2.d/S03vmware-tools", to: "../init.d/vmware-tools")
        guest.link("/etc/rc3.d/S20open-vm-tools", to: "../init.d/open-vm-tools")
        guest.link("/etc/rc3.d/K01open-vm-tools", to: "../init.d/open-vm-tools")
        guest.link("/etc/rc3.d/S20ssh", to: "../init.d/ssh")
        guest.link("/etc/rc0.d/K01vmware-tools", to: "../init.d/vmware-tools")
        let plan = try convert(guest)
        #expect(
            plan.items.map(\.change) == [
                .symlink("/etc/rc2.d/K97vmware-tools", target: "../init.d/vmware-tools"),
                .remove("/etc/rc2.d/S03vmware-tools"),
                .remove("/etc/rc3.d/S20open-vm-tools"),
            ])
        #expect(plan.formerSettings.count == 2)
    }

    @Test func redHatsFoldersAreSeenOnce() throws {
        let guest = MemoryGuest(["/sbin/init": "ELF", "/etc/rc.d/init.d/vmware-tools": "x"])
        guest.link("/etc/init.d", to: "rc.d/init.d")
        guest.link("/etc/rc3.d", to: "rc.d/rc3.d")
        guest.link("/etc/rc.d/rc3.d/S00vmware-tools", to: "../init.d/vmware-tools")
        let plan = try convert(guest)
        #expect(
            plan.items.map(\.change) == [
                .symlink("/etc/rc.d/rc3.d/K99vmware-tools", target: "../init.d/vmware-tools"),
                .remove("/etc/rc.d/rc3.d/S00vmware-tools"),
            ])
    }

    @Test func oddLinkNamesDoNoHarm() throws {
        let guest = MemoryGuest(["/sbin/init": "ELF", "/etc/init.d/vmware-tools": "x"])
        for name in ["S", "S1", "S+1vmware-tools", "Séévmware-tools", "Sxxvmware-tools", "S-1vmware-tools"] {
            guest.link("/etc/rc2.d/\(GuestPath(name).name)", to: "x")
        }
        #expect(try convert(guest) == Plan())
    }

    // MARK: What else the tools leave

    @Test(arguments: [
        ("[Desktop Entry]\nName=x\n", "[Desktop Entry]\nHidden=true\nName=x\n"),
        ("[Desktop Entry]\nHidden=false\n", "[Desktop Entry]\nHidden=true\n"),
        ("[Desktop Entry]\nHidden=true\n", "[Desktop Entry]\nHidden=true\n"),
        ("[Desktop Entry]\n[Other]\nHidden=true", "[Desktop Entry]\nHidden=true\n[Other]\nHidden=true"),
        ("", ""), ("x", "x"),
    ])
    func autostart(before: String, after: String) throws {
        let guest = MemoryGuest(["/etc/xdg/autostart/vmware-user.desktop": before])
        _ = try convert(guest)
        #expect(try guest.text("/etc/xdg/autostart/vmware-user.desktop") == after)
    }

    @Test(arguments: [
        ".host:/ /mnt/hgfs vmhgfs defaults,ttl=5 0 0", ".host:/\\040x\t/mnt/hgfs fuse.vmhgfs-fuse allow_other 0 0",
        "vmhgfs-fuse /mnt/hgfs fuse defaults,allow_other 0 0",
    ])
    func sharedFolders(line: String) throws {
        let guest = MemoryGuest(["/etc/fstab": "UUID=x / ext4 rw 0 1\n\(line)\nsshfs#h: /m fuse rw\n"])
        let plan = try convert(guest)
        #expect(try guest.text("/etc/fstab") == "UUID=x / ext4 rw 0 1\n# \(line)\nsshfs#h: /m fuse rw\n")
        #expect(plan.formerSettings.first?.values["was"] == [line])
        #expect(plan.warnings.count == 1)
    }

    @Test(arguments: [
        ("datasource_list: [ VMware, OVF, None ]\n", 1), ("datasource_list: ['VMware'] # only\n", 1),
        ("x: 1\ndatasource_list:\n  - VMware\n  - None\nother:\n  - NoCloud\n", 1),
        ("datasource_list: [ NoCloud, VMware ]\n", 0), ("#datasource_list: [ VMware ]\n", 0), ("datasource_list:\n", 0),
    ])
    func dataSources(text: String, notes: Int) throws {
        let guest = MemoryGuest(["/etc/cloud/cloud.cfg.d/99-vmware.cfg": text])
        let plan = try convert(guest)
        #expect(plan.findings.filter { $0.level == .note }.count == notes)
        #expect(plan.isEmpty)
        guest.put("/etc/cloud/cloud.cfg.d/99-zz.cfg", "datasource_list: [ OpenStack ]\n")
        #expect(try convert(guest).findings.isEmpty)
    }

    @Test func hostileFilesDoNoHarm() throws {
        let guest = systemd([
            "/etc/fstab": "\u{0}\u{0} vmhgfs\n" + String(repeating: "a ", count: 50_000),
            "/etc/cloud/cloud.cfg": "datasource_list:" + String(repeating: "[", count: 100_000),
            "/etc/xdg/autostart/vmware-user.desktop": String(repeating: "x", count: 1_000_000),
            "/etc/systemd/system/\u{0}.service": "x",
        ])
        guest.link("/etc/systemd/system/loop.service", to: "loop.service")
        #expect(try convert(guest).isEmpty)
    }

    // MARK: Inspection

    @Test func whatIsInstalled() throws {
        #expect(try VMwareTools.installed(MemoryGuest()).isEmpty)
        #expect(try VMwareTools.installed(MemoryGuest(["/etc/init.d/open-vm-tools": "x"])).isEmpty)
        #expect(try VMwareTools.installed(MemoryGuest(["/usr/bin/vmtoolsd": "x"])) == ["open-vm-tools"])
        #expect(
            try VMwareTools.installed(MemoryGuest(["/usr/bin/vmware-uninstall-tools.pl": "x"])) == [
                "vmware-tools tarball"
            ])
        #expect(
            try VMwareTools.installed(MemoryGuest(["/etc/init.d/vmware-tools-services": "x"])) == [
                "vmware-tools packages"
            ])
    }
}
