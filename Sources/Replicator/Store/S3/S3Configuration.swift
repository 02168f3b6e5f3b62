/// All that is needed to talk to a bucket: settings, then the environment, then the profile.
struct S3Configuration: Sendable {
    let endpoint: S3Endpoint
    let region: String
    let credentials: S3Credentials
    /// Certificates in PEM, and the file that they are from; nil: the system's.
    let authorities: Authorities?

    struct Authorities: Hashable, Sendable {
        var file: String
        var pem: [UInt8]
    }

    /// - Parameters:
    ///   - read: a file; nil where there is none.
    /// - Throws: ``StoreError`` that names what was looked for, and where.
    init(
        _ location: S3Location, _ settings: S3Settings, _ environment: [String: String],
        read: (String) throws -> [UInt8]?
    ) throws {
        let sources = try Sources(settings, environment, read)
        try sources.checkProfile()
        let stored = sources.configured("region")
        let variable = sources.variable("AWS_REGION") ?? sources.variable("AWS_DEFAULT_REGION")
        region = settings.region ?? variable ?? stored ?? "us-east-1"
        let addressing = settings.addressing ?? sources.addressing
        if let (url, source) = sources.endpoint {
            endpoint = try S3Endpoint(url, from: source, addressing: addressing)
        } else {
            endpoint = .aws(region: region, bucket: location.bucket, addressing: addressing)
        }
        credentials = try sources.credentials(for: location)
        authorities = try sources.authorities.map { file, source in
            guard let pem = try read(sources.expanded(file)) else {
                throw StoreError(
                    .unavailable, "could not read '\(file)', the certificates of \(source): no such file",
                    hint: "it is a file of certificates in PEM, the server's authority among them")
            }
            return Authorities(file: file, pem: pem)
        }
    }
}

/// Where settings are looked for.
private struct Sources {
    let settings: S3Settings
    let environment: [String: String]
    let profile: String
    let configFile: String
    let credentialsFile: String
    let config: AWSProfiles
    let stored: AWSProfiles

    init(_ settings: S3Settings, _ environment: [String: String], _ read: (String) throws -> [UInt8]?) throws {
        self.settings = settings
        self.environment = environment
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        profile = settings.profile ?? variable("AWS_PROFILE") ?? "default"
        configFile = variable("AWS_CONFIG_FILE") ?? "~/.aws/config"
        credentialsFile = variable("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials"
        func profiles(_ file: String, _ kind: AWSProfiles.Kind) throws -> AWSProfiles {
            let path = Self.expanded(file, environment)
            return AWSProfiles(String(decoding: try read(path) ?? [], as: UTF8.self), kind)
        }
        config = try profiles(configFile, .config)
        stored = try profiles(credentialsFile, .credentials)
    }

    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    func expanded(_ file: String) -> String { Self.expanded(file, environment) }

    private static func expanded(_ file: String, _ environment: [String: String]) -> String {
        guard file.hasPrefix("~/"), let home = environment["HOME"] else { return file }
        return home + file.dropFirst()
    }

    /// Of the profile in the configuration.
    func configured(_ key: String) -> String? { config.value(key, of: profile) }

    /// One that somebody asked for has to be there.
    func checkProfile() throws {
        guard settings.profile != nil || variable("AWS_PROFILE") != nil else { return }
        guard !config.has(profile), !stored.has(profile) else { return }
        throw StoreError(
            .unavailable,
            "could not find the profile '\(profile)': it is neither in '\(configFile)' nor in '\(credentialsFile)'",
            hint: "'aws configure list-profiles' shows those that there are")
    }

    var endpoint: (url: String, source: String)? {
        if let url = settings.endpoint { return (url, "the store") }
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
            if let url = variable(name) { return (url, name) }
        }
        return configured("endpoint_url").map { ($0, "the profile '\(profile)'") }
    }

    /// "auto" leaves it to the program.
    var addressing: S3Settings.Addressing? {
        switch configured("s3.addressing_style") {
        case "path": .path
        case "virtual": .virtualHost
        default: nil
        }
    }

    var authorities: (file: String, source: String)? {
        if let file = settings.authorities { return (file, "the store") }
        if let file = variable("AWS_CA_BUNDLE") { return (file, "AWS_CA_BUNDLE") }
        return configured("ca_bundle").map { ($0, "the profile '\(profile)'") }
    }

    func credentials(for location: S3Location) throws -> S3Credentials {
        if settings.profile == nil, let accessKey = variable("AWS_ACCESS_KEY_ID") {
            guard let secretKey = variable("AWS_SECRET_ACCESS_KEY") else {
                throw StoreError(
                    .unavailable,
                    "could not sign in to '\(location)': AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY isn't",
                    hint: "set both, or neither to use a profile")
            }
            return S3Credentials(
                accessKey: accessKey, secretKey: secretKey, sessionToken: variable("AWS_SESSION_TOKEN"))
        }
        // The credentials file goes before the configuration, as with AWS's tools.
        for source in [stored, config] {
            guard let accessKey = source.value("aws_access_key_id", of: profile),
                let secretKey = source.value("aws_secret_access_key", of: profile)
            else { continue }
            let token = source.value("aws_session_token", of: profile)
            return S3Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: token)
        }
        throw StoreError(
            .unavailable,
            "could not sign in to '\(location)': no keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor "
                + "under the profile '\(profile)' in '\(credentialsFile)' or '\(configFile)'",
            hint: "set the two variables; 'aws configure export-credentials --format env' prints them for roles and "
                + "single sign-on, which aren't followed here")
    }
}
