import Testing

@testable import Replicator

struct SigV4Tests {
    static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private func signature(_ authorization: String) -> String {
        authorization.split(separator: "Signature=").last.map(String.init) ?? ""
    }

    struct Example: Sendable, CustomTestStringConvertible {
        var method: String
        var path: String
        var query: [SigV4.Field] = []
        var headers: [SigV4.Field] = []
        var payload = SigV4Tests.empty
        var signature: String
        var testDescription: String { "\(method) \(path)" }
    }

    /// Those of "Examples: Signature Calculations", in Amazon S3's API reference.
    @Test(arguments: [
        Example(
            method: "GET", path: "/test.txt", headers: [.init(name: "range", value: "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Example(
            method: "PUT", path: "/test%24file.text",
            headers: [
                .init(name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"),
                .init(name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
            ], payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Example(
            method: "GET", path: "/", query: [.init(name: "lifecycle", value: "")],
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Example(
            method: "GET", path: "/", query: [.init(name: "prefix", value: "J"), .init(name: "max-keys", value: "2")],
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ])
    func amazonS3(_ example: Example) {
        let signer = SigV4(
            credentials: .init(
                accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1")
        let message = SigV4.Message(
            method: example.method, path: example.path, query: example.query,
            headers: [
                .init(name: "host", value: "examplebucket.s3.amazonaws.com"),
                .init(name: "x-amz-content-sha256", value: example.payload),
                .init(name: "x-amz-date", value: "20130524T000000Z"),
            ] + example.headers, payload: example.payload)
        #expect(signature(signer.authorization(message, timestamp: "20130524T000000Z")) == example.signature)
    }

    /// Of AWS's test suite for Signature V4: get-vanilla and get-vanilla-query-order-key-case.
    @Test(
        arguments: [
            ([], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                [.init(name: "Param2", value: "value2"), .init(name: "Param1", value: "value1")],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
            ),
        ] as [([SigV4.Field], String)])
    func testSuite(_ query: [SigV4.Field], _ expected: String) {
        let signer = SigV4(
            credentials: .init(accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1", service: "service")
        let message = SigV4.Message(
            method: "GET", path: "/", query: query,
            headers: [
                .init(name: "x-amz-date", value: "20150830T123600Z"),
                .init(name: "host", value: "example.amazonaws.com"),
            ], payload: Self.empty)
        let authorization = signer.authorization(message, timestamp: "20150830T123600Z")
        #expect(
            authorization == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=host;x-amz-date, Signature=\(expected)")
    }

    struct Sent: Sendable, CustomTestStringConvertible {
        var request: S3Request
        var endpoint: String?
        var region = "eu-central-1"
        var token: String?
        var path: String
        var signature: String
        var testDescription: String { "\(request.method.rawValue) \(path)" }
    }

    private static let absent = [SigV4.Field(name: "if-none-match", value: "*")]

    /// What botocore 1.43.11 makes of the same requests, paths and hosts as this package writes them.
    @Test(arguments: [
        Sent(
            request: .init(method: .get, key: "pre fix/a+b=c&d?e#f%41~ü/€.x", purpose: ""),
            endpoint: "http://127.0.0.1:9000", path: "/bucket/pre%20fix/a%2Bb%3Dc%26d%3Fe%23f%2541~%C3%BC/%E2%82%AC.x",
            signature: "d324383fb2ef8a86f0e553e73a7d1df5c0aa5d4c967e9a66d5abed3ceb193041"),
        Sent(
            request: .init(
                method: .put, key: "chunks/00ff", headers: absent, body: Array("hello".utf8), purpose: ""),
            path: "/chunks/00ff", signature: "c63a85a7453825b696b479bd6b0e99f2f5c494f9a9b5a3820a62049f31bc6bab"),
        Sent(
            request: .init(
                method: .put, key: "chunks/00ff", headers: absent, body: Array("hello".utf8), purpose: ""),
            token: "FwoGZXIvYXdzEXAMPLE//token==", path: "/chunks/00ff",
            signature: "cad2a36aaf1e9aebf27b065393fdc516edffc5ff48d87f803f773749e905872a"),
        Sent(
            request: .init(
                method: .get,
                query: [
                    .init(name: "prefix", value: "pre fix/a+b/"), .init(name: "continuation-token", value: "1/ab+c=="),
                    .init(name: "list-type", value: "2"), .init(name: "encoding-type", value: "url"),
                ], purpose: ""), endpoint: "http://[::1]:9000", path: "/bucket",
            signature: "554be0ac55da0ebec4c5ddd174329bdb0198c5e0f1897e0448e447ffc12528a8"),
        Sent(
            request: .init(method: .delete, key: "a//b", purpose: ""), endpoint: "https://minio.example:443",
            region: "us-east-1", path: "/bucket/a//b",
            signature: "8b708f1b620b655ebb5ce1b9d73f1b1f849d6ef9e1fa741601d075858f6a3f0f"),
    ])
    func botocore(_ sent: Sent) throws {
        var environment = [
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "AWS_REGION": sent.region,
        ]
        environment["AWS_ENDPOINT_URL"] = sent.endpoint
        environment["AWS_SESSION_TOKEN"] = sent.token
        let location = try S3Location("s3://bucket")
        let configuration = try S3Configuration(location, S3Settings(), environment) { _ in nil }
        let client = try S3Client(location, configuration, S3Retries())
        let message = client.signed(
            sent.request, payload: SigV4.hex(Cipher.sha256(sent.request.body)), timestamp: "20261128T102030Z")
        #expect(message.path == sent.path)
        let authorization = message.headers.first { $0.name == "authorization" }?.value ?? ""
        #expect(signature(authorization) == sent.signature)
    }

    @Test func timestamps() {
        #expect(SigV4.timestamp(0) == "19700101T000000Z")
        #expect(SigV4.timestamp(1_369_353_600) == "20130524T000000Z")
        #expect(SigV4.timestamp(1_709_210_096) == "20240229T123456Z")
    }
}
