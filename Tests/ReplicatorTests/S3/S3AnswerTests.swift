import Testing

@testable import Replicator

/// What servers send, and what hostile ones could.
struct S3AnswerTests {
    private func parse(_ text: String, limit: Int = 1 << 20) -> S3Element? {
        S3Element(parsing: Array(text.utf8), limit: limit)
    }

    @Test func elements() {
        let root = parse(#"<?xml version="1.0"?><a xmlns="http://s3"><b>1 &amp; 2</b><b><![CDATA[<3>]]></b><c/></a>"#)
        #expect(root?.name == "a")
        #expect(root?.all("b").map(\.text) == ["1 & 2", "<3>"])
        #expect(root?.text("c") == "")
        #expect(root?.text("d") == nil)
    }

    @Test func noDocuments() {
        let entities = #"<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>"#
        let file = #"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#
        let outside = #"<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>"#
        let deep = String(repeating: "<a>", count: 200) + String(repeating: "</a>", count: 200)
        for text in ["", "<", "<a>", "{}", "<html><p>no</html>", entities, file, outside, deep] {
            #expect(parse(text) == nil, "\(text.prefix(60))")
        }
        #expect(parse("<a>12345</a>", limit: 11) == nil)
    }

    @Test func problems() {
        func problem(_ body: String, _ headers: [String: String] = [:]) -> S3Response.Problem {
            S3Response(status: 400, headers: headers, body: Array(body.utf8)).problem
        }
        #expect(
            problem("<Error><Code>SlowDown</Code><Message>Slow\n\u{9}down.</Message></Error>")
                == .init(code: "SlowDown", message: "Slow down."))
        #expect(problem("<Error><Code>X</Code><Region>eu</Region></Error>").region == "eu")
        #expect(problem("", ["x-amz-bucket-region": "us-west-2"]).region == "us-west-2")
        #expect(problem("<html><body>502</body></html>") == .init())
        let long = String(repeating: "x", count: 5000)
        #expect(problem("<Error><Message>\(long)</Message></Error>").message.count == 200)
    }

    private func listing(_ body: String) -> S3Listing? {
        S3Listing(parsing: Array("<ListBucketResult>\(body)</ListBucketResult>".utf8))
    }

    @Test func pages() {
        let entry = "<Contents><Key>a%2Fb+c%2B%C3%BC</Key><Size>7</Size><Owner><ID>x</ID></Owner></Contents>"
        #expect(listing("<EncodingType>url</EncodingType>\(entry)")?.objects == [.init(name: "a/b c+ü", size: 7)])
        #expect(listing(entry)?.objects == [.init(name: "a%2Fb+c%2B%C3%BC", size: 7)])
        let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t=</NextContinuationToken>"
        #expect(listing(more)?.continuation == "t=")
        #expect(listing("<IsTruncated>false</IsTruncated>")?.continuation == nil)
        #expect(listing("<IsTruncated>true</IsTruncated>") == nil)
        #expect(listing("<Contents><Key>a</Key><Size>-1</Size></Contents>") == nil)
        #expect(listing("<Contents><Size>1</Size></Contents>") == nil)
        let url = "<EncodingType>url</EncodingType>"
        for key in ["%", "%4", "%zz", "%ff"] {
            #expect(listing("\(url)<Contents><Key>\(key)</Key><Size>1</Size></Contents>") == nil)
        }
        #expect(S3Listing(parsing: Array("<html/>".utf8)) == nil)
    }
}
