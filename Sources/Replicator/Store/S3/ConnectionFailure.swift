internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Why a request got no whole answer.
struct ConnectionFailure: Error {
    enum Kind {
        /// Trying again may help.
        case passing
        /// So it may here, with less at once.
        case timedOut
        /// The server's certificate isn't one to trust.
        case untrusted
        /// The server's certificate is another one's.
        case otherName
        case withoutTLS
        /// There is more in the answer than there may be.
        case tooLarge
    }

    var kind: Kind
    var reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    static let timedOut = ConnectionFailure(.timedOut, "no answer in time")

    init(_ error: any Error) {
        switch error {
        case let failure as ConnectionFailure: self = failure
        case let error as NIOConnectionError: self.init(.passing, Self.reason(error))
        case let error as IOError: self.init(.passing, String(cString: strerror(error.errnoCode)))
        case let error as HTTPClientError where error == .readTimeout || error == .writeTimeout: self = .timedOut
        case let error as HTTPClientError: self.init(.passing, Self.reason(error))
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self.init(.otherName, "its certificate is for another name")
        default:
            // BoringSSL's own words are all that tells it.
            let text = String(describing: error)
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                self.init(.untrusted, "its certificate is signed by nobody who is trusted, or has expired")
            } else if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
                self.init(.withoutTLS, "it doesn't speak TLS there")
            } else {
                self.init(.passing, text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given")
            }
        }
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.first {
            if let cause = failure.error as? IOError { return String(cString: strerror(cause.errnoCode)) }
            return failure.error is ChannelError ? "no answer in time" : String(describing: failure.error)
        }
        return "nobody knows the name '\(error.host)'"
    }

    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .remoteConnectionClosed: "the connection was closed"
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout: "no answer in time"
        default: error.shortDescription.lowercased()
        }
    }
}
