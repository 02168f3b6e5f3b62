import Guest
import GuestTesting
import Testing

@testable import Injectors

struct FileContextsTests {
    @Test(arguments: [
        ("/etc", "/etc", true), ("/etc", "/etc/x", false), ("/etc(/.*)?", "/etc", true),
        ("/etc(/.*)?", "/etc/a/b", true),
        ("/etc(/.*)?", "/etcetera", false), (#"/a\.b"#, "/a.b", true), (#"/a\.b"#, "/axb", false),
        ("/[^/]+", "/vmlinuz", true), ("/[^/]+", "/boot/vmlinuz", false),
        ("/usr/(.*/)?bin(/.*)?", "/usr/bin/qemu-ga", true),
        ("/usr/(.*/)?bin(/.*)?", "/usr/local/bin", true), ("/usr/(.*/)?bin(/.*)?", "/usr/sbin", false),
        ("/dev/[0-9].*", "/dev/0x", true), ("/x[a-cx-z-]y", "/x-y", true), ("/x[]a]y", "/x]y", true),
        ("/x[^]a]y", "/xby", true), ("/x[^]a]y", "/x]y", false), (#"/x[\]a]y"#, "/x]y", true),
        ("/x{2}y", "/xxy", true), ("/x{2}y", "/xy", false), ("/x{1,2}y", "/xxy", true), ("/x{2,}y", "/xxxxy", true),
        ("/(a|bc)?d", "/bcd", true), ("/(a|bc)?d", "/d", true), ("/(?:a|b)", "/b", true), ("/a|/b", "/b", true),
        ("^/a$", "/a", true), (#"/a\+\+"#, "/a++", true), ("/a+?b", "/aab", true), ("/a*+b", "/aab", true),
        (#"/\d\w\s"#, "/1_ ", true), ("/[[:alpha:]]+", "/abc", true), ("/[[:alpha:]]+", "/ab1", false),
        ("/ä.*", "/äö", true), ("/()*x", "/x", true), ("/(a*)*b", "/b", true), ("/.*", "/", true),
    ])
    func patterns(pattern: String, path: String, matches: Bool) {
        #expect(PathPattern(pattern)?.matches(Array(path.utf8)) == matches, "\(pattern) on \(path)")
    }

    @Test(arguments: ["", "(", ")", "[", "[a", "a{", "a{999}", "*", "(?=a)", "(?i)a", #"\"#, #"\b"#, "a{2,1}", "[z-a]"])
    func whatIsNotUnderstoodIsNil(pattern: String) { #expect(PathPattern(pattern) == nil) }

    /// Patterns that take a backtracking engine longer than the world lasts.
    @Test(.timeLimit(.minutes(1))) func evilPatterns() {
        let path = Array(("/" + String(repeating: "a", count: 4000)).utf8)
        for pattern in ["/(a*)*b", "/(a|a)*b", "/(a+)+b", "/(.*)*(.*)*(.*)*x", "/(a?){200}b", "/((a*)*)*b"] {
            #expect(PathPattern(pattern)?.matches(path) == false)
        }
        #expect(PathPattern("/" + String(repeating: "(", count: 500) + String(repeating: ")", count: 500)) == nil)
        #expect(PathPattern("/((((a{255}){255}){255}){255})") == nil)
    }

    private func context(
        _ path: GuestPath, _ kind: FileContexts.FileKind = .file, in parts: String..., subs: String = "",
        dist: String = ""
    ) -> FileContexts.Answer {
        var contexts = FileContexts(parts, subs: subs, subsDist: dist, paths: [path.description])
        return contexts.context(of: path, kind)
    }

    @Test func theLastMatchWins() {
        let base = "/.*\ts:o:default_t:s0\n/etc/.*\ts:o:etc_t:s0\n/etc/x.*\t--\ts:o:x_t:s0\n/etc/xy\t-d\ts:o:d_t:s0\n"
        #expect(context("/etc/a", in: base) == .context("s:o:etc_t:s0"))
        #expect(context("/etc/xy", in: base) == .context("s:o:x_t:s0"))
        #expect(context("/etc/xy", .directory, in: base) == .context("s:o:d_t:s0"))
        #expect(context("/etc/xz", .symlink, in: base) == .context("s:o:etc_t:s0"))
        #expect(context("/usr", .directory, in: base) == .context("s:o:default_t:s0"))
        #expect(context("/etc/a", in: base, "", "/etc/a\ts:o:own_t:s0\n") == .context("s:o:own_t:s0"))
    }

    @Test func aPlainPathCountsMoreThanAPattern() {
        #expect(context("/etc/a", in: "/etc/a\ts:o:a_t:s0\n/etc/.*\ts:o:etc_t:s0\n") == .context("s:o:a_t:s0"))
        #expect(context("/etc/a.b", in: "/etc/a\\.b\ts:o:a_t:s0\n/.*\ts:o:x_t:s0\n") == .context("s:o:a_t:s0"))
    }

    @Test func whatHasNoContext() {
        #expect(context("/proc/1", in: "/.*\ts:o:d_t:s0\n/proc/.*\t<<none>>\n") == .none)
        #expect(context("/a", in: "/b\ts:o:d_t:s0\n") == .unknown)
        #expect(context("/a", in: "# /a s:o:t:s0\n\n/a\tnonsense\n/a -x s:o:t:s0\n/a -- s:o:t:s0 more\n") == .unknown)
        #expect(context("/a", in: "/a\ts:o:\u{1B}[2J:s0\n") == .unknown)
    }

    @Test func substitutions() {
        let base = "/usr/lib/.*\ts:o:lib_t:s0\n/.*\ts:o:d_t:s0\n/home/.*\ts:o:home_t:s0\n"
        let list = "/.*\ts:o:d_t:s0\n" + base
        #expect(context("/lib64/x", in: list, dist: "/lib64 /usr/lib\n") == .context("s:o:d_t:s0"))
        let ordered = "/.*\ts:o:d_t:s0\n/usr/lib/.*\ts:o:lib_t:s0\n/home/.*\ts:o:home_t:s0\n"
        #expect(context("/lib64/x", in: ordered, dist: "/lib64 /usr/lib\n") == .context("s:o:lib_t:s0"))
        #expect(context("/lib64x", in: ordered, dist: "/lib64 /usr/lib\n") == .context("s:o:d_t:s0"))
        #expect(context("/data/home/a", in: ordered, subs: "/data/home /home\n") == .context("s:o:home_t:s0"))
    }

    @Test(.timeLimit(.minutes(1))) func aHostilePolicyEnds() {
        let evil = (0..<60_000).map { "/(.*\($0))*(a|b)*{0,9}x\ts:o:t\($0):s0\n" }.joined()
        #expect(context("/etc/a", in: evil, evil) == .unknown)
        let large = (0..<20_000).map { "/(.*)*\($0)?(.*){0,9}x\ts:o:t\($0):s0\n" }.joined()
        #expect(context("/etc/a", in: large) == .unknown)
    }

    @Test func anythingCanBeInThere() {
        var random = Seeded(9)
        let alphabet = Array("/ab.*+?()[]{}|\\^$-\t :0,9s\n<>é".utf8)
        for _ in 0..<2000 {
            let text = String(
                decoding: (0..<Int.random(in: 0..<80, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }, as: UTF8.self)
            _ = context("/etc/ab", in: text, subs: text, dist: text)
            _ = PathPattern(text)?.matches(Array("/ab/ab".utf8))
        }
    }
}
