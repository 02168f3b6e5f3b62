import Testing

@testable import Injectors

struct ShellVariablesTests {
    @Test(arguments: [
        ("A=1", "1"), ("A=\"1 2\"", "1 2"), ("A='1 $2'", "1 $2"), ("A=1 # c", "1"), ("  export A=1", "1"),
        ("A=a\\ b", "a b"),
        ("A=\"a\\\"b\"", "a\"b"), ("A=1; B=2", "1"), ("A=x\nA=y", "y"), ("A=\"one\ntwo\"", "one\ntwo"),
        ("A='it'\"'\"'s'", "it's"),
        ("A=1\r", "1"),
    ])
    func values(_ text: String, _ expected: String) {
        #expect(ShellVariables(text)["A"] == expected)
        #expect(ShellVariables(text).rendered == text)
    }

    @Test(arguments: ["", "#A=1", "A", "A =1", "A=", "A=''", "1", "=", "\"", "A B=1", "if x; then A=1; fi"])
    func nothing(_ text: String) {
        #expect(ShellVariables(text)["A"] == nil)
        #expect(ShellVariables(text).rendered == text)
    }

    @Test func edits() {
        var file = ShellVariables("# top\nDEVICE=\"eth0\"\nA=1; B=2\nBOOTPROTO='static' # c\n")
        file.set("BOOTPROTO", "dhcp")
        file.set("ONBOOT", "yes")
        file.remove { $0 == "A" }
        #expect(file.rendered == "# top\nDEVICE=\"eth0\"\nB=2\nBOOTPROTO='dhcp'\nONBOOT=\"yes\"\n")
        file.remove { _ in true }
        #expect(file.rendered == "# top\n")
    }

    @Test func anOpenQuoteEndsSomewhere() {
        let text = "A=\"open\nB=2\n" + String(repeating: "x\n", count: 20)
        #expect(ShellVariables(text)["B"] == "2")
        #expect(ShellVariables(text).rendered == text)
    }

    @Test func addedToAnEmptyFile() {
        var file = ShellVariables("")
        file.set("A", "b c")
        #expect(file.rendered == "A=\"b c\"\n")
    }
}

struct IPAddressTests {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1/24", true), ("10.0.0.1", "10.0.0.11", false),
        ("2001:db8::1", "2001:0DB8:0:0::0001/64", true),
        ("::", "0:0:0:0:0:0:0:0", true), ("::ffff:10.0.0.1", "::ffff:a00:1", true), ("fe80::1%eth0", "fe80::1", true),
        ("010.0.0.1", "10.0.0.1", true),
    ])
    func equality(_ one: String, _ other: String, _ expected: Bool) {
        #expect(IPAddress(one) != nil)
        #expect((IPAddress(one) == IPAddress(other)) == expected)
    }

    @Test(arguments: [
        "", "eth0", "10.0.0", "10.0.0.256", "1.2.3.4.5", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "+1.2.3.4",
        "dhcp", ":",
    ])
    func none(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test(arguments: [
        ("10.0.1.1", "10.0.0.5/23", true), ("10.0.2.1", "10.0.0.5/23", false), ("1.2.3.4", "9.9.9.9/0", true),
        ("10.0.0.1", "10.0.0.5", false), ("10.0.0.1", "10.0.0.5/99", false), ("2001:db8::1", "2001:db8::5/64", true),
        ("10.0.0.1", "::/0", false),
    ])
    func networks(_ address: String, _ network: String, _ expected: Bool) {
        #expect(IPAddress(address)?.isInNetwork(of: network) == expected)
    }
}
