import Guest
import Testing

@testable import Injectors

struct LinuxFamilyTests {
    @Test(arguments: [
        ("debian", [], "debian"), ("ubuntu", ["debian"], "ubuntu"), ("centos", ["rhel", "fedora"], "rhel"),
        ("ol", ["fedora"], "rhel"), ("fedora", [], "fedora"), ("amzn", ["centos", "rhel", "fedora"], "amazon"),
        ("opensuse-leap", ["suse", "opensuse"], "suse"), ("opensuse-microos", [], "suse"), ("sles", [], "suse"),
        ("linuxmint", ["ubuntu", "debian"], "ubuntu"), ("manjaro", ["arch"], "arch"), ("alpine", [], "alpine"),
        ("navy", ["rhel", "centos"], "rhel"), ("granite", [], "linux"), ("linux", [], "linux"), ("", [], "linux"),
    ])
    func families(_ id: String, _ like: [String], _ family: String) {
        #expect(LinuxFamily.of(OSRelease(id: id, like: like)).name == family)
    }

    @Test func namesAndIDsAreUnique() {
        let families = LinuxFamily.all
        #expect(Set(families.map(\.name)).count == families.count)
        #expect(Set(families.flatMap(\.ids)).count == families.flatMap(\.ids).count)
    }

    @Test func theTableIsMarkdown() {
        let table = SupportTable()
        let lines = table.markdown.split(separator: "\n")
        #expect(lines.count == table.rows.count + 2)
        #expect(lines.allSatisfy { $0.hasPrefix("|") && $0.hasSuffix("|") && $0.count(where: { $0 == "|" }) == 5 })
    }
}
