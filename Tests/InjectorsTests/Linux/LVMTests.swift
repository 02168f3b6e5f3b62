import Guest
import GuestTesting
import Testing

@testable import Injectors

struct LVMTests {
    private func filter(_ list: String) throws -> (text: String?, plan: Plan) {
        let guest = DeviceNamesGuest(["/etc/lvm/lvm.conf": "devices {\n\(list)\n}\n"])
        let plan = try guest.convert()
        return (
            try guest.text("/etc/lvm/lvm.conf")?.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n"),
            plan
        )
    }

    @Test(arguments: [
        (#"filter = [ "a|^/dev/sd.*|", "r|.*|" ]"#, #"filter = [ "a|^/dev/sd.*|", "a|^/dev/vd.*|", "r|.*|" ]"#),
        (#"global_filter=["a|/dev/sda2|","r|.*|"]"#, #"global_filter=["a|/dev/sda2|", "a|/dev/vda2|","r|.*|"]"#),
        (#"filter = [ "a/dev/sda/", "r/.*/" ]"#, #"filter = [ "a/dev/sda/", "a/dev/vda/", "r/.*/" ]"#),
        (
            #"filter = [ "a#/dev/(sd|hd)[a-z]#", "r#.*#" ]"#,
            #"filter = [ "a#/dev/(sd|hd)[a-z]#", "a#/dev/(vd|hd)[a-z]#", "r#.*#" ]"#
        ),
        (#"filter = [ "a|/dev/[sh]d.*|", "r|.*|" ]"#, #"filter = [ "a|/dev/[sh]d.*|", "a|/dev/vd.*|", "r|.*|" ]"#),
        (#"filter = [ "a|/dev/nvme.*|", "r|.*|" ]"#, #"filter = [ "a|/dev/nvme.*|", "a|/dev/vd.*|", "r|.*|" ]"#),
        (#"filter = [ "a|/dev/[sv]d.*|", "r|.*|" ]"#, #"filter = [ "a|/dev/[sv]d.*|", "r|.*|" ]"#),
        (
            #"filter = [ "a|/dev/vd.*|", "a|/dev/sd.*|", "r|.*|" ]"#,
            #"filter = [ "a|/dev/vd.*|", "a|/dev/sd.*|", "r|.*|" ]"#
        ),
        (#"filter = [ "a|.*/|" ]"#, #"filter = [ "a|.*/|" ]"#),
        (#"filter = [ "r|/dev/cdrom|", "a|.*|" ]"#, #"filter = [ "r|/dev/cdrom|", "a|.*|" ]"#),
        (#"# filter = [ "a|^/dev/sd.*|", "r|.*|" ]"#, #"# filter = [ "a|^/dev/sd.*|", "r|.*|" ]"#),
        (#"filter = [ "a|/dev/mapper/.*|", "r|.*|" ]"#, #"filter = [ "a|/dev/mapper/.*|", "r|.*|" ]"#),
        (
            #"filter = [ "a|^/dev/mapper/sda3_crypt|", "r|.*|" ]"#,
            #"filter = [ "a|^/dev/mapper/sda3_crypt|", "r|.*|" ]"#
        ),
        (#"filter = "a|/dev/sd.*|""#, #"filter = "a|/dev/sd.*|""#),
        (
            "filter = [ # \"x\"\n\"a|/dev/sd|\",\n\"r|.*|\" ]",
            "filter = [ # \"x\"\n\"a|/dev/sd|\", \"a|/dev/vd|\",\n\"r|.*|\" ]"
        ),
        (#"filter = [ "a|/dev/sd|", "r|.*|""#, #"filter = [ "a|/dev/sd|", "r|.*|""#),
        (#"filter = [ "a|/dev/sd"#, #"filter = [ "a|/dev/sd"#),
        (#"filter = [ "", "a", "ab", "a||", "\", "r|.*|" ]"#, #"filter = [ "", "a", "ab", "a||", "\", "r|.*|" ]"#),
        ("filter", "filter"), ("filter =", "filter ="), ("filter = [", "filter = ["),
    ])
    func filters(before: String, after: String) throws {
        let (text, plan) = try filter(before)
        #expect(text == after)
        #expect(plan.formerSettings.isEmpty == (before == after))
    }

    @Test(arguments: ["a|/dev/nvme0n1p2|", "a|/dev/disk/by-id/wwn-0x5000.*|", "a|/dev/disk/by-path/pci.*|"])
    func aFilterThatNeedsAPersonStays(pattern: String) throws {
        let before = "filter = [ \"\(pattern)\", \"r|.*|\" ]"
        let (text, plan) = try filter(before)
        #expect(text == before)
        #expect(plan.warnings.count == 1)
    }

    @Test func aRootOnAVolumeNeedsTheFilterInTheInitramfs() throws {
        let guest = DeviceNamesGuest(
            ["/etc/lvm/lvm.conf": "filter = [ \"a|/dev/sda|\", \"r|.*|\" ]\n"], root: "/dev/vg/root")
        #expect(try guest.convert().warnings.first?.message.contains("initramfs") == true)
    }

    @Test(arguments: [
        ("IDTYPE=sys_wwid IDNAME=naa.6000c29 DEVNAME=/dev/sda2 PVID=x PART=2\n", true),
        ("VERSION=1.1.2\n# c\nIDTYPE=devname IDNAME=/dev/sda2 DEVNAME=/dev/sda2 PVID=x\n", true),
        ("IDTYPE=md_uuid IDNAME=x DEVNAME=/dev/md0 PVID=x\n", false), ("VERSION=1.1.2\n", false),
    ])
    func devicesFile(text: String, goes: Bool) throws {
        let guest = DeviceNamesGuest(["/etc/lvm/devices/system.devices": text])
        let plan = try guest.convert()
        #expect(try guest.text("/etc/lvm/devices/system.devices") == (goes ? nil : text))
        #expect(plan.formerSettings.isEmpty != goes)
    }

    @Test func theCacheGoes() throws {
        let guest = DeviceNamesGuest(["/etc/lvm/cache/.cache": "persistent_filter_cache {}"])
        #expect(try guest.convert().items.map(\.change) == [.remove("/etc/lvm/cache/.cache")])
    }
}
