import Descriptions
import Foundation
import Testing
import XML

@Suite struct XMLDocumentTests {
    private func parse(_ text: String) throws -> XMLElement { try XMLDocument(parsing: Array(text.utf8)).root }

    private func reason(_ text: String) -> String {
        do {
            _ = try parse(text)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func readsByNamespaceAndName() throws {
        let root = try parse(
            """
            <?xml version="1.0" encoding="ISO-8859-1"?>
            <e:Envelope xmlns:e="urn:one" xmlns:o="urn:two" plain="a" o:plain="b &amp; c">
              <e:Name>x<!-- no -->y</e:Name><o:Name>z</o:Name><![CDATA[ignored]]>
            </e:Envelope>
            """)
        #expect(root.name == "Envelope")
        #expect(root.namespace == "urn:one")
        #expect(root["plain"] == "a")
        #expect(root.attribute("plain") { $0 == "urn:two" } == "b & c")
        #expect(root.attribute("plain") { $0 == "urn:three" } == nil)
        #expect(root.all("Name").map(\.text) == ["xy", "z"])
        #expect(root.all("Name").map(\.namespace) == ["urn:one", "urn:two"])
    }

    @Test func refusesDTDs() {
        let bomb =
            "<!DOCTYPE a [<!ENTITY x \"xx\">"
            + (0..<30).map { "<!ENTITY x\($0) \"&x\($0 == 0 ? "" : "\($0 - 1)");&x\($0 == 0 ? "" : "\($0 - 1)");\">" }
            .joined() + "]><a b=\"&x29;\">&x29;</a>"
        #expect(reason(bomb) == "it has a DTD, which isn't read")
        #expect(
            reason("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>")
                == "it has a DTD, which isn't read")
        #expect(reason("<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\"><a/>") == "it has a DTD, which isn't read")
        #expect(reason("<a>&undeclared;</a>").contains("undeclared"))
    }

    @Test func refusesWhatIsNoXML() {
        #expect(reason("") != "")
        #expect(reason("<a>\n<b></a>").hasPrefix("line 2: "))
        #expect(reason(String(repeating: "<a>", count: 100_000)).contains("depth"))
        #expect(reason("<a>" + String(repeating: " ", count: 1 << 20) + "</a>").contains("more than 1048576"))
    }

    @Test func buildsWithEscapesAndNamespaces() throws {
        let first = XMLNamespace("urn:one")
        let prefixed = XMLNamespace("urn:one", prefix: "o")
        let other = XMLNamespace("urn:two", prefix: "t")
        let document = XMLDocument(root: "Envelope", in: first, declaring: [prefixed])
        let item = document.root.add("Item", "a < b\u{1}\u{0}", ["plain": "\"&\u{7}\n"])
        item.set("id", "1", in: prefixed)
        item.add("Other", "ż", in: other).add("Inner")
        let text = String(decoding: document.serialized(), as: UTF8.self)
        #expect(
            text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <Envelope xmlns="urn:one" xmlns:o="urn:one" xmlns:t="urn:two">
                  <Item plain="&quot;&amp;&#10;" o:id="1">a &lt; b<t:Other>ż<t:Inner/></t:Other></Item>
                </Envelope>

                """)
        let root = try parse(text)
        #expect(root.first("Item")?["plain"] == "\"&\n")
        #expect(root.first("Item")?.attribute("id") { $0 == "urn:one" } == "1")
    }

    @Test func changes() throws {
        let root = try parse("<a x='1'> <b/> text <c/><b/></a>")
        root["x"] = nil
        root["y"] = "2"
        root.keep { $0.name == "b" }
        #expect(root.children.map(\.name) == ["b", "b"])
        #expect(root.text == "")
        #expect(root["x"] == nil && root["y"] == "2")
    }
}
