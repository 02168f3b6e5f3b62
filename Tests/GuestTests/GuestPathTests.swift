import Foundation
import Guest
import GuestTesting
import Testing

struct GuestPathTests {
    @Test(arguments: [
        ("/etc/fstab", "/etc/fstab"), ("etc/fstab", "/etc/fstab"), ("//etc///fstab//", "/etc/fstab"),
        ("/etc/./fstab/.", "/etc/fstab"), ("/etc/../usr/lib", "/usr/lib"), ("/../../etc", "/etc"), ("/..", "/"),
        ("", "/"), ("/", "/"), (".", "/"), ("/a b/ c", "/a b/ c"), ("/...", "/..."), ("/.hidden/..x", "/.hidden/..x"),
        ("/ünï/日本", "/ünï/日本"), ("/with\nline", "/with\nline"),
    ])
    func isNormal(text: String, normal: String) {
        #expect(GuestPath(text).description == normal)
        #expect(GuestPath(GuestPath(text).description) == GuestPath(text))
    }

    @Test func parts() {
        let path: GuestPath = "/usr/lib/os-release"
        #expect(path.name == "os-release")
        #expect(path.parent == "/usr/lib")
        #expect(path.components == ["usr", "lib", "os-release"])
        #expect(GuestPath.root.name == "/")
        #expect(GuestPath.root.parent == .root)
        #expect(GuestPath.root.isRoot && !path.isRoot)
    }

    @Test func appendingStaysInside() {
        #expect(GuestPath("/boot").appending("grub/grub.cfg") == "/boot/grub/grub.cfg")
        #expect(GuestPath("/boot").appending("/grub") == "/boot/grub")
        #expect(GuestPath("/boot").appending("../../../etc") == "/etc")
        #expect(GuestPath("/boot").appending("") == "/boot")
    }

    @Test func insideIsByComponent() {
        #expect(GuestPath("/boot/efi").isInside("/boot"))
        #expect(GuestPath("/boot").isInside("/boot"))
        #expect(GuestPath("/boot").isInside(.root))
        #expect(!GuestPath("/bootstrap").isInside("/boot"))
        #expect(!GuestPath("/boot").isInside("/boot/efi"))
        #expect(GuestPath("/boot/efi/EFI").relative(to: "/boot") == "efi/EFI")
        #expect(GuestPath("/boot").relative(to: "/boot") == "")
        #expect(GuestPath("/etc").relative(to: "/boot") == nil)
    }

    @Test func parentsSortBeforeWhatIsInThem() {
        let paths: [GuestPath] = ["/b", "/a/b", "/a", "/a.b", "/a/b/c", "/"]
        #expect(paths.sorted().map(\.description) == ["/", "/a", "/a/b", "/a/b/c", "/a.b", "/b"])
    }

    @Test func isAStringInJSON() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let data = try encoder.encode(["path": GuestPath("/etc/fstab")])
        #expect(String(decoding: data, as: UTF8.self) == #"{"path":"/etc/fstab"}"#)
        #expect(try JSONDecoder().decode([GuestPath].self, from: Data(#"["/a/../b"]"#.utf8)) == ["/b"])
    }
}
