internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// The connections of this process to all its servers. They last as long as the process does: a client that goes away
/// has to be shut down first, which no store knows the time of.
enum S3Connections {
    private static let clients = Mutex<[S3Configuration.Authorities?: HTTPClient]>([:])

    /// - Throws: ``StoreError`` where the certificates can't be read.
    static func client(trusting authorities: S3Configuration.Authorities?) throws -> HTTPClient {
        try clients.withLock { clients in
            if let client = clients[authorities] { return client }
            var tls = TLSConfiguration.makeClientConfiguration()
            if let authorities { tls.trustRoots = .certificates(try certificates(authorities)) }
            var configuration = HTTPClient.Configuration(
                tlsConfiguration: tls, redirectConfiguration: .disallow,
                timeout: .init(connect: .seconds(10), read: .seconds(60), write: .seconds(60)),
                // AWS closes what is idle for some 20 seconds; a request that finds that out is tried again.
                connectionPool: .init(idleTimeout: .seconds(15), concurrentHTTP1ConnectionsPerHostSoftLimit: 64))
            configuration.httpVersion = .http1Only
            // Trying again is the store's.
            configuration.connectionPool.retryConnectionEstablishment = false
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            clients[authorities] = client
            return client
        }
    }

    private static func certificates(_ authorities: S3Configuration.Authorities) throws -> [NIOSSLCertificate] {
        if let certificates = try? NIOSSLCertificate.fromPEMBytes(authorities.pem), !certificates.isEmpty {
            return certificates
        }
        throw StoreError(
            .unavailable, "could not read certificates in '\(authorities.file)': there are none, or damaged ones",
            hint: "it is a file of certificates in PEM, the server's authority among them")
    }
}
