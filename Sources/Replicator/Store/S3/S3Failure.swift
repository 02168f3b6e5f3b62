/// What a failed request is reported as.
struct S3Failure {
    let purpose: String
    let location: S3Location
    let configuration: S3Configuration

    init(_ request: S3Request, _ client: S3Client) {
        purpose = request.purpose
        location = client.location
        configuration = client.configuration
    }

    private func error(_ reason: String, hint: String) -> StoreError {
        StoreError(.unavailable, "could not \(purpose) in the store '\(location)': \(reason)", hint: hint)
    }

    private var server: String { "'\(configuration.endpoint.url)'" }

    // MARK: No answer

    func error(_ failure: ConnectionFailure) -> StoreError {
        let hint =
            switch failure.kind {
            case .untrusted:
                configuration.authorities.map { "the certificate of the server's authority has to be in '\($0.file)'" }
                    ?? "for an authority of your own, AWS_CA_BUNDLE names a file with its certificate"
            case .otherName: "the endpoint has to be one of the names that the server's certificate is for"
            case .withoutTLS: "a server without TLS is http://…; nothing is encrypted on its way then"
            case .tooLarge, .passing, .timedOut: "is \(server) an S3 server?"
            }
        return error("\(server): \(failure.reason)", hint: hint)
    }

    func error(_ reason: String, attempts: Int) -> StoreError {
        error(
            "\(server): \(reason), at the last of \(attempts) attempts",
            hint: "is the server well, and the endpoint right? what was stored so far counts the next time")
    }

    // MARK: Refusals

    func error(_ response: S3Response) -> StoreError {
        let problem = response.problem
        let words = [problem.code, problem.message].filter { !$0.isEmpty }.joined(separator: ": ")
        let answer = words.isEmpty ? "the server answered \(response.status)" : words
        if let region = problem.region, region != configuration.region, Self.isAboutRegion(response, problem.code) {
            return error(
                "the bucket is in the region '\(region)', and was looked for in '\(configuration.region)'",
                hint: "set AWS_REGION=\(region)")
        }
        let key = configuration.credentials.accessKey
        switch problem.code {
        case "NoSuchBucket":
            return error(
                "there is no bucket '\(location.bucket)'", hint: "make it first; it is looked for at \(server)")
        case "InvalidAccessKeyId":
            return error("the server doesn't know the access key '\(key)'", hint: "is it another server's key?")
        case "SignatureDoesNotMatch":
            return error(
                "the secret key isn't that of the access key '\(key)', or something on the way changed the request "
                    + "(SignatureDoesNotMatch)",
                hint: "check AWS_SECRET_ACCESS_KEY or the profile; the server has to know itself by the name \(server)")
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return error(answer, hint: "get new temporary credentials; they last some hours only")
        case "RequestTimeTooSkewed":
            let there = response.headers["date"].map { "; there it is \($0)" } ?? ""
            return error(
                "the clock of this host is too far from the server's\(there) (RequestTimeTooSkewed)",
                hint: "set the clock: NTP does it")
        case "XAmzContentSHA256Mismatch", "BadDigest":
            return error(answer, hint: "the bytes changed on the way: is a proxy between here and \(server)?")
        default: return plain(answer, response)
        }
    }

    private static func isAboutRegion(_ response: S3Response, _ code: String) -> Bool {
        response.status == 301
            || ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"].contains(
                code)
    }

    private func plain(_ answer: String, _ response: S3Response) -> StoreError {
        switch response.status {
        case 300..<400:
            let target = response.headers["location"].map { " to '\($0)'" } ?? ""
            return error("the server sends it elsewhere\(target) (\(answer))", hint: "is the endpoint right?")
        case 401, 403:
            return error(
                answer,
                hint: "the key has to be allowed s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject there")
        case 404: return error(answer, hint: "is \(server) an S3 server?")
        case 507:
            return error(answer, hint: "make room in the bucket; what was stored so far counts the next time")
        default:
            return error(answer, hint: "does \(server) do all of what a store needs: ListObjectsV2, Signature V4?")
        }
    }
}
