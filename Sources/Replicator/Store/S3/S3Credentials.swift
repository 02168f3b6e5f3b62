/// What requests are signed with.
struct S3Credentials: Hashable, Sendable {
    var accessKey: String
    var secretKey: String
    /// Of temporary credentials; sent with every request.
    var sessionToken: String?
}
