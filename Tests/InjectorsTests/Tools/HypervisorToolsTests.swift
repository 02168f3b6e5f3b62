import Guest
import GuestTesting
import Testing

@testable import Injectors

struct HypervisorToolsTests {
    private func systemd(_ files: [GuestPath: String] = [:]) -> MemoryGuest {
        let guest = MemoryGuest(files)
        guest.put("/usr/lib/systemd/systemd", "ELF")
        guest.link("/sbin/init", to: "/usr/lib/systemd/systemd")
        guest.folder("/etc/systemd/system")
        return guest
    }

    private func convert(_ guest: MemoryGuest) throws -> Plan {
        let first = try HypervisorTools().plan(guest, .sample())
        try guest.apply(first) { _ in }
        let second = try HypervisorTools().plan(guest, .sample())
        #expect(second.isEmpty && second.formerSettings.isEmpty, "\(second.items)")
        return first
    }

    private func masked(_ plan: Plan) -> [String] {
        plan.items.compactMap { item in
            if case .symlink(let path, target: "/dev/null") = item.change { path.name } else { nil }
        }
    }

    @Test(arguments: [
        ["vboxadd", "vboxadd-service"], ["virtualbox-guest-utils"], ["vboxservice"],
        ["hypervfcopyd", "hypervkvpd", "hypervvssd"], ["hv-fcopy-daemon", "hv-kvp-daemon", "hv-vss-daemon"],
        ["hyperv-daemons.hv-kvp-daemon"], ["hv_kvp_daemon"], ["xe-linux-distribution"], ["xen-guest-agent"],
        ["prltoolsd"], ["ngt_guest_agent"],
    ])
    func unitsAreMasked(names: [String]) throws {
        let guest = systemd(["/usr/lib/systemd/system/ssh.service": "x"])
        for name in names { guest.put("/usr/lib/systemd/system/\(name).service", "[Service]\n") }
        let plan = try convert(guest)
        #expect(masked(plan) == names.map { "\($0).service" }.sorted())
        #expect(plan.formerSettings.map(\.kind) == names.map { _ in "enabled-service" })
        #expect(plan.findings.isEmpty)
    }

    @Test func virtualBoxByItsOwnInstaller() throws {
        let guest = systemd(["/opt/VBoxGuestAdditions-7.0.14/init/vboxadd": "#!/bin/sh\n"])
        guest.link("/etc/init.d/vboxadd", to: "/opt/VBoxGuestAdditions-7.0.14/init/vboxadd")
        #expect(masked(try convert(guest)) == ["vboxadd.service"])
        #expect(try HypervisorTool.installed(guest) == ["VirtualBox Guest Additions"])
    }

    @Test func othersStay() throws {
        // A host of VirtualBox guests, Xen's own services, and whatever else.
        let names = ["vboxdrv", "vboxweb-service", "xendomains", "xenstored", "vmware", "libvirtd", "qemu-guest-agent"]
        let guest = systemd()
        for name in names { guest.put("/usr/lib/systemd/system/\(name).service", "[Service]\n") }
        #expect(try convert(guest).isEmpty)
        #expect(try HypervisorTool.installed(guest).isEmpty)
    }

    @Test func initScripts() throws {
        let guest = MemoryGuest(["/etc/init.d/hv_kvp_daemon": "#!/bin/sh\n"])
        guest.link("/etc/rc.d/rc3.d/S10hv_kvp_daemon", to: "../init.d/hv_kvp_daemon")
        let plan = try convert(guest)
        #expect(plan.items.map(\.change.kind) == ["symlink", "remove"])
    }

    @Test func openRC() throws {
        let guest = MemoryGuest([
            "/etc/init.d/virtualbox-guest-additions": "#!/sbin/openrc-run\n", "/sbin/openrc-run": "ELF",
        ])
        guest.link(
            "/etc/runlevels/default/virtualbox-guest-additions", to: "/etc/init.d/virtualbox-guest-additions")
        guest.link("/etc/runlevels/boot/networking", to: "/etc/init.d/networking")
        let plan = try convert(guest)
        #expect(
            plan.items.map(\.change) == [.remove("/etc/runlevels/default/virtualbox-guest-additions")])
        #expect(plan.formerSettings.first?.values["link-to"] == ["/etc/init.d/virtualbox-guest-additions"])
    }

    // MARK: Modules

    @Test func modulesThatWouldFailAreNotForcedAnyMore() throws {
        let guest = systemd([
            "/etc/modules": "# keep\nloop\nvboxguest\nxen-blkfront\nvmw_pvscsi\nvmw_balloon\n",
            "/etc/modules-load.d/hv.conf": "hv_vmbus\n",
            "/usr/lib/modules-load.d/vbox.conf": "vboxguest\nvboxsf\n",
            "/usr/lib/modules-load.d/mixed.conf": "# x\nvboxguest\nnf_conntrack\n",
            "/usr/lib/modules-load.d/other.conf": "nf_conntrack\n",
        ])
        guest.link("/lib", to: "usr/lib")
        let plan = try convert(guest)
        #expect(
            try guest.text("/etc/modules") == "# keep\nloop\n# vboxguest\n# xen-blkfront\nvmw_pvscsi\n# vmw_balloon\n")
        #expect(try guest.text("/etc/modules-load.d/hv.conf") == "# hv_vmbus\n")
        #expect(try guest.text("/etc/modules-load.d/mixed.conf") == "nf_conntrack\n")
        #expect(try guest.entry(at: "/etc/modules-load.d/vbox.conf")?.kind == .symlink(target: "/dev/null"))
        #expect(try guest.entry(at: "/etc/modules-load.d/other.conf") == nil)
        #expect(plan.formerSettings.filter { $0.kind == "loaded-module" }.count == 4)
    }

    // MARK: Shared folders

    @Test(arguments: [
        ("share /mnt vboxsf defaults 0 0", true), ("none /media/psf prl_fs sync 0 0", true),
        ("none /proc/xen xenfs defaults 0 0", true), ("host /mnt 9p trans=virtio 0 0", false),
    ])
    func sharedFolders(line: String, goes: Bool) throws {
        let guest = systemd(["/etc/fstab": "UUID=x / ext4 rw 0 1\n\(line)\n"])
        let plan = try convert(guest)
        #expect(try guest.text("/etc/fstab") == "UUID=x / ext4 rw 0 1\n\(goes ? "# " : "")\(line)\n")
        #expect(plan.warnings.count == (goes ? 1 : 0))
        #expect(plan.formerSettings.first?.values["was"] == (goes ? [line] : nil))
    }

    @Test func agentsOfCloudsAreNoted() throws {
        let plan = try convert(systemd(["/usr/sbin/waagent": ""]))
        #expect(plan.isEmpty && plan.findings.map(\.level) == [.note])
    }
}
