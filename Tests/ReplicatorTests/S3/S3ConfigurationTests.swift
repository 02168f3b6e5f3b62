import Testing

@testable import Replicator

struct S3ConfigurationTests {
    private let keys = ["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "HOME": "/home/me"]

    private func configuration(
        _ location: String = "s3://backup/store", _ settings: S3Settings = S3Settings(),
        _ environment: [String: String], files: [String: String] = [:]
    ) throws -> S3Configuration {
        try S3Configuration(S3Location(location), settings, environment) { files[$0].map { Array($0.utf8) } }
    }

    private func failure(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return ""
        } catch {
            return String(describing: error)
        }
    }

    // MARK: Locations

    @Test(arguments: [
        ("s3://bucket", "bucket", "", "s3://bucket"), ("s3://bucket/", "bucket", "", "s3://bucket"),
        ("s3://my.bucket-1/a/b/", "my.bucket-1", "a/b", "s3://my.bucket-1/a/b"),
        ("s3://Old_Bucket/a b/ü%20", "Old_Bucket", "a b/ü%20", "s3://Old_Bucket/a b/ü%20"),
    ])
    func locations(_ text: String, _ bucket: String, _ prefix: String, _ description: String) throws {
        let location = try S3Location(text)
        #expect(location.bucket == bucket)
        #expect(location.prefix == prefix)
        #expect(location.description == description)
        #expect(location.key("x/y") == (prefix.isEmpty ? "x/y" : prefix + "/x/y"))
    }

    @Test(arguments: [
        "", "bucket", "s3:bucket", "s3://", "s3:///prefix", "s3://.hidden", "s3://a b", "s3://user@host/x",
        "s3://b/../c",
        "s3://b/a\u{7}",
    ])
    func noLocations(_ text: String) {
        #expect(failure { try S3Location(text) }.contains("s3://BUCKET"))
    }

    // MARK: Endpoints

    @Test func endpoints() throws {
        func url(_ text: String?, bucket: String = "b", _ addressing: S3Settings.Addressing? = nil) throws -> String {
            var environment = keys
            environment["AWS_REGION"] = "eu-west-1"
            let endpoint = try configuration(
                "s3://\(bucket)", S3Settings(endpoint: text, addressing: addressing), environment
            ).endpoint
            return "\(endpoint.scheme)://\(endpoint.authority(bucket))\(endpoint.path(bucket, "k"))"
        }
        #expect(try url(nil) == "https://b.s3.eu-west-1.amazonaws.com/k")
        #expect(try url(nil, bucket: "b.c") == "https://s3.eu-west-1.amazonaws.com/b.c/k")
        #expect(try url(nil, .path) == "https://s3.eu-west-1.amazonaws.com/b/k")
        #expect(try url("http://LOCALHOST:9000/") == "http://localhost:9000/b/k")
        #expect(try url("https://s3.example:443") == "https://s3.example/b/k")
        #expect(try url("http://s3.example:443") == "http://s3.example:443/b/k")
        #expect(try url("https://proxy/s3/v1/") == "https://proxy/s3/v1/b/k")
        #expect(try url("https://[::1]:9000") == "https://[::1]:9000/b/k")
        #expect(try url("https://[::1]") == "https://[::1]/b/k")
        #expect(try url("https://s3.example", .virtualHost) == "https://b.s3.example/k")
        for bad in [
            "s3.example", "ftp://s3.example", "https://", "https:///x", "https://a:b", "https://a:0", "https://u:p@a",
            "https://a?x", "https://a/b?c", "https://[::1", "https://a b",
        ] {
            #expect(failure { try url(bad) }.contains("the endpoint '\(bad)' of the store"))
        }
    }

    @Test func chinaHasADomainOfItsOwn() throws {
        let endpoint = try configuration(S3Settings(region: "cn-north-1"), keys).endpoint
        #expect(endpoint.url == "https://s3.cn-north-1.amazonaws.com.cn")
    }

    private func configuration(_ settings: S3Settings, _ environment: [String: String]) throws -> S3Configuration {
        try configuration("s3://backup/store", settings, environment)
    }

    // MARK: Where values are from

    @Test func settingsGoBeforeTheEnvironmentBeforeTheProfile() throws {
        let files = [
            "/home/me/.aws/config":
                "[default]\nregion = r-profile\nendpoint_url=https://profile\nca_bundle = ~/ca.pem\n",
            "/home/me/ca.pem": "profile's", "/env.pem": "environment's", "/set.pem": "settings'",
        ]
        let profile = try configuration(S3Settings(), keys, files)
        #expect(profile.region == "r-profile")
        #expect(profile.endpoint.url == "https://profile")
        #expect(profile.authorities == .init(file: "~/ca.pem", pem: Array("profile's".utf8)))
        var environment = keys
        environment["AWS_DEFAULT_REGION"] = "r-default"
        environment["AWS_ENDPOINT_URL"] = "https://all"
        environment["AWS_CA_BUNDLE"] = "/env.pem"
        let general = try configuration(S3Settings(), environment, files)
        #expect(general.region == "r-default")
        #expect(general.endpoint.url == "https://all")
        #expect(general.authorities?.file == "/env.pem")
        environment["AWS_REGION"] = "r-env"
        environment["AWS_ENDPOINT_URL_S3"] = "https://s3"
        let own = try configuration(S3Settings(), environment, files)
        #expect(own.region == "r-env")
        #expect(own.endpoint.url == "https://s3")
        let set = try configuration(
            S3Settings(endpoint: "https://set", region: "r-set", authorities: "/set.pem"), environment, files)
        #expect(set.region == "r-set")
        #expect(set.endpoint.url == "https://set")
        #expect(set.authorities?.pem == Array("settings'".utf8))
    }

    private func configuration(
        _ settings: S3Settings, _ environment: [String: String], _ files: [String: String]
    ) throws -> S3Configuration {
        try configuration("s3://backup/store", settings, environment, files: files)
    }

    @Test func emptyVariablesAreNone() throws {
        var environment = keys
        environment["AWS_ENDPOINT_URL"] = ""
        environment["AWS_REGION"] = ""
        environment["AWS_CA_BUNDLE"] = ""
        let found = try configuration(S3Settings(), environment)
        #expect(found.region == "us-east-1")
        #expect(found.endpoint.url == "https://s3.us-east-1.amazonaws.com")
        #expect(found.authorities == nil)
    }

    @Test func profiles() throws {
        let files = [
            "/home/me/.aws/credentials": """
            # a comment
            [default]
            aws_access_key_id = AD
            aws_secret_access_key = SD=/+
            [ceph]
            aws_access_key_id=AC
            aws_secret_access_key=SC
            aws_session_token = T
            """,
            "/home/me/.aws/config": """
            [default]
            s3 =
                max_concurrent_requests = 20
                addressing_style = virtual
            endpoint_url = https://default
            [profile ceph]
            region = r
            endpoint_url = http://ceph:7480
            [profile "in config"]
            aws_access_key_id = AX
            aws_secret_access_key = SI
            [sso-session x]
            region = not this
            """,
        ]
        let home = ["HOME": "/home/me"]
        let usual = try configuration(S3Settings(), home, files)
        #expect(usual.credentials == .init(accessKey: "AD", secretKey: "SD=/+"))
        #expect(usual.endpoint.addressing == .virtualHost)
        #expect(usual.endpoint.url == "https://default")
        let ceph = try configuration(S3Settings(), ["HOME": "/home/me", "AWS_PROFILE": "ceph"], files)
        #expect(ceph.credentials == .init(accessKey: "AC", secretKey: "SC", sessionToken: "T"))
        #expect(ceph.endpoint.url == "http://ceph:7480")
        #expect(ceph.endpoint.addressing == .path)
        #expect(ceph.region == "r")
        // Keys in the environment go before AWS_PROFILE, and after a profile that is asked for here.
        let both = keys.merging(["AWS_PROFILE": "ceph"]) { $1 }
        #expect(try configuration(S3Settings(), both, files).credentials.accessKey == "AK")
        #expect(try configuration(S3Settings(profile: "in config"), keys, files).credentials.accessKey == "AX")
        let moved = ["AWS_CONFIG_FILE": "/c", "AWS_SHARED_CREDENTIALS_FILE": "/s"]
        let found = try configuration(
            S3Settings(), moved, ["/s": "[default]\naws_access_key_id=1\naws_secret_access_key=2", "/c": ""])
        #expect(found.credentials.accessKey == "1")
    }

    // MARK: What is missing

    @Test func missingKeysAreNamed() {
        let none = failure { try configuration(S3Settings(), ["HOME": "/home/me"]) }
        for place in ["AWS_ACCESS_KEY_ID", "'default'", "~/.aws/credentials", "~/.aws/config", "hint: "] {
            #expect(none.contains(place))
        }
        let half = failure { try configuration(S3Settings(), ["AWS_ACCESS_KEY_ID": "A"]) }
        #expect(half.contains("AWS_SECRET_ACCESS_KEY isn't"))
        let unknown = failure { try configuration(S3Settings(profile: "prod"), keys) }
        #expect(unknown.contains("could not find the profile 'prod'"))
        let file = failure { try configuration(S3Settings(authorities: "/no.pem"), keys) }
        #expect(file.contains("could not read '/no.pem', the certificates of the store: no such file"))
    }

    @Test func certificatesThatAreNoneAreNamed() throws {
        for text in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nxx\n"] {
            let message = failure {
                try S3Connections.client(trusting: .init(file: "/ca.pem", pem: Array(text.utf8)))
            }
            #expect(message.contains("could not read certificates in '/ca.pem'"))
        }
    }
}
