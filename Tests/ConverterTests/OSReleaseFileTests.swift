import Foundation
import Guest
import GuestTesting
import Injectors
import Testing

@testable import Converter

struct OSReleaseFileTests {
    @Test(arguments: [
        ("/etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", "6.10"),
        ("/etc/redhat-release", "Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n", "rhel", "5.11"),
        ("/etc/oracle-release", "Oracle Linux Server release 6.10\n", "ol", "6.10"),
        ("/etc/system-release", "Amazon Linux AMI release 2012.03\n", "amzn", "2012.03"),
        ("/etc/redhat-release", "Fedora release 14 (Laughlin)\n", "fedora", "14"),
        ("/etc/redhat-release", "Granite Server\n", "granite", ""),
        (
            "/etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n", "sles",
            "11.4"
        ),
        ("/etc/SuSE-release", "openSUSE 11.4 (x86_64)\nVERSION = 11.4\nCODENAME = Celadon\n", "opensuse", "11.4"),
        (
            "/etc/lsb-release",
            "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_DESCRIPTION=\"Ubuntu 10.04.4 LTS\"\n", "ubuntu", "10.04"
        ),
        ("/etc/debian_version", "6.0.10\n", "debian", "6.0.10"), ("/etc/alpine-release", "2.7.9\n", "alpine", "2.7.9"),
        ("/etc/slackware-version", "Slackware 14.2\n", "slackware", "14.2"), ("/etc/arch-release", "", "arch", ""),
    ])
    func guestsOlderThanOSRelease(_ file: GuestPath, _ text: String, _ id: String, _ version: String) throws {
        let release = try OSReleaseFile.read(MemoryGuest([file: text]))
        #expect(release.id == id)
        #expect(release.version == version)
        #expect(try OSReleaseFile.name(of: MemoryGuest([file: text])) == release.prettyName)
    }

    @Test func osReleaseComesFirst() throws {
        let guest = MemoryGuest([
            "/usr/lib/os-release": "ID=rocky\nPRETTY_NAME='Rocky'\n", "/etc/redhat-release": "x\n",
        ])
        #expect(try OSReleaseFile.read(guest).id == "rocky")
    }

    @Test func aSystemThatSaysNothingIsLinuxWhereItHasAKernel() throws {
        #expect(try OSReleaseFile.name(of: MemoryGuest(["/etc/fstab": ""])) == nil)
        #expect(try OSReleaseFile.name(of: MemoryGuest(["/lib/modules/6.1/modules.dep": ""])) == "Linux")
        #expect(try OSReleaseFile.read(MemoryGuest()).id == "linux")
        let separate = MemoryGuest(["/lib/modules/6.1/modules.dep": ""])
        separate.link("/etc/os-release", to: "../usr/lib/os-release")
        #expect(try OSReleaseFile.name(of: separate) == nil)
    }

    @Test func theReadmeHasTheSupportTable() throws {
        let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../README.md")
        let text = try String(contentsOf: readme.standardized, encoding: .utf8)
        #expect(text.contains(SupportTable().markdown), "put what 'rehost support' prints into README.md")
    }

    @Test func everyFixtureThatTheSupportTableNamesIsThere() {
        for row in SupportTable().rows {
            for name in row.fixtures { #expect(FixtureGuest.names.contains(name), "\(row.system): \(name)") }
            #expect(row.level == "expected" || !row.fixtures.isEmpty || row.booted != nil)
        }
    }
}
