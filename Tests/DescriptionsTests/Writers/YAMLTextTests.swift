import Foundation
import GuestTesting
import Testing

@testable import Descriptions

struct YAMLTextTests {
    @Test func blocks() {
        let value: YAMLValue = .map([
            ("name", .text("x")), ("empty", .map([])), ("none", .list([])), ("one", .number(1)),
            ("list", .list([.map([("a", .flag(true)), ("b", .list([.text("c")]))]), .text("d")])),
            ("no: key", .text("")),
        ])
        #expect(
            value.document == """
                ---
                name: "x"
                empty: {}
                none: []
                one: 1
                list:
                  - a: true
                    b:
                      - "c"
                  - "d"
                "no: key": ""

                """)
    }

    /// Read back by another's parser.
    @Test(.enabled(if: PythonYAML.isInstalled, "python3-yaml is not installed"))
    func whateverTextIsWrittenIsReadAgain() throws {
        let hostile = [
            "", " ", "a: b", "- x", "#no", "*alias", "&anchor", "!!python/object/apply:os.system [\"id\"]", "yes",
            "null",
            "1e3", "0x1F", "2001-01-01", "\"", "'", "\\", "\\n", "a\nb", "a\r\nb", "\t", "---", "...", "{}", "{{x}}",
            "%YAML",
            "\u{0}\u{1}\u{7F}\u{85}\u{A0}\u{2028}\u{FEFF}\u{FFFE}", "żółć 日本 🙂", String(repeating: "\"\\", count: 500),
        ]
        // YAML has no keys of more than 1024 characters; those of a manifest are ours.
        let keys = hostile.filter { $0.count < 100 }
        let document: YAMLValue = .map([
            ("list", .list(hostile.map { .text($0) })),
            ("keys", .map(keys.map { (key: $0, value: .text("v")) })),
        ])
        let read = try #require(try PythonYAML.read(Data(document.document.utf8)).first as? [String: Any])
        #expect(read["list"] as? [String] == hostile)
        #expect(Set((read["keys"] as? [String: String] ?? [:]).keys) == Set(keys))
    }
}

/// The YAML parser that tests compare with.
enum PythonYAML {
    private static let python = HostTool("python3")

    static let isInstalled = python.isInstalled && (try? python.run(["-c", "import yaml"]).status) == 0

    /// The documents of a stream.
    static func read(_ data: Data) throws -> [Any] {
        let program = "import sys, yaml, json; json.dump(list(yaml.safe_load_all(sys.stdin.buffer)), sys.stdout)"
        let output = try python.output(["-c", program], input: [UInt8](data))
        return try JSONSerialization.jsonObject(with: Data(output)) as? [Any] ?? []
    }
}
