/// How a bucket is reached. What is nil comes from the environment, then from the profile, as with other S3 clients.
public struct S3Settings: Sendable {
    public enum Addressing: String, Sendable {
        /// https://server/bucket/key
        case path
        /// https://bucket.server/key
        case virtualHost
    }

    /// "https://server:port"; nil: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's endpoint_url, or AWS itself.
    /// Nothing is encrypted on its way to an http:// one.
    public var endpoint: String?
    /// nil: AWS_REGION, AWS_DEFAULT_REGION, the profile's, or us-east-1, which is what most other servers take.
    public var region: String?
    /// In ~/.aws/config and ~/.aws/credentials; nil: AWS_PROFILE, or "default". One that is given here goes before keys
    /// in the environment.
    public var profile: String?
    /// Certificates in PEM that are trusted instead of the system's; nil: AWS_CA_BUNDLE, or the profile's ca_bundle.
    public var authorities: String?
    /// nil: the profile's addressing_style, or paths, but for AWS itself, which has a host for each bucket.
    public var addressing: Addressing?
    /// Takes a server that doesn't do `If-None-Match`. Objects are looked for before they are put then, which is safe
    /// as long as only one process writes to the store at a time.
    public var allowsUnconditional: Bool

    public init(
        endpoint: String? = nil, region: String? = nil, profile: String? = nil, authorities: String? = nil,
        addressing: Addressing? = nil, allowsUnconditional: Bool = false
    ) {
        self.endpoint = endpoint
        self.region = region
        self.profile = profile
        self.authorities = authorities
        self.addressing = addressing
        self.allowsUnconditional = allowsUnconditional
    }
}
