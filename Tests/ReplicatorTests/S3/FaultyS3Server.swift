import Foundation
import Synchronization

@testable import Replicator

/// An S3 server on loopback with one bucket in memory, which fails as a test wants it to. It checks every signature.
final class FaultyS3Server: Sendable {
    enum Conditions: Sendable {
        case honoured
        case ignored
        /// 501, as Swift's s3api answers.
        case notImplemented
    }

    struct State: Sendable {
        var objects: [String: [UInt8]] = [:]
        var faults = S3Faults()
        var conditions = Conditions.honoured
        var flipsBytes = false
        var pageSize = 1000
        /// Given to the next requests, whatever they are.
        var answers: [HTTPAnswer] = []
        /// "PUT /bucket/key", in their order.
        var log: [String] = []
        var counts: [String: Int] = [:]
        var connections: Set<Int32> = []
        /// How many there were.
        var faulted = 0
    }

    static let bucket = "bucket"
    static let credentials = S3Credentials(accessKey: "AKIDTEST", secretKey: "secret/+test", sessionToken: "token+/==")

    let state = Mutex(State())
    let port: UInt16
    private let listener: Int32

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                // A child of the tests that had it, too, would hold it open.
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                guard let server = self else {
                    close(connection)
                    break
                }
                server.state.withLock { _ = $0.connections.insert(connection) }
                Thread.detachNewThread { server.serve(connection) }
            }
            // Not elsewhere: its number could be another server's by the time that this thread waits again.
            close(listener)
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        state.withLock { state in
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    var environment: [String: String] {
        [
            "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)", "AWS_ACCESS_KEY_ID": Self.credentials.accessKey,
            "AWS_SECRET_ACCESS_KEY": Self.credentials.secretKey,
            "AWS_SESSION_TOKEN": Self.credentials.sessionToken ?? "",
        ]
    }

    /// - Parameter retries: as many as there are, without the pauses.
    func store(
        _ prefix: String = "store", settings: S3Settings = S3Settings(), retries: S3Retries? = nil,
        bucket: String = FaultyS3Server.bucket, changing: [String: String] = [:]
    ) throws -> S3Store {
        let quick = S3Retries(
            attempts: 40, attemptsToReach: 40, firstPause: .milliseconds(1), longestPause: .milliseconds(5),
            attempt: .seconds(30))
        return try S3Store(
            "s3://\(bucket)/\(prefix)", settings: settings, environment: environment.merging(changing) { $1 },
            retries: retries ?? quick
        ) { _ in nil }
    }

    // MARK: Connections

    private func serve(_ connection: Int32) {
        var isOn: Int32 = 1
        // An answer's parts go out as they are written.
        setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        while let request = HTTPExchange(from: connection) {
            guard request.isUnderstood else {
                HTTPAnswer(status: 400).write(to: connection, withBody: true)
                break
            }
            guard answer(request, connection) else { break }
        }
        state.withLock { _ = $0.connections.remove(connection) }
        close(connection)
    }

    /// - Returns: whether the connection goes on.
    private func answer(_ request: HTTPExchange, _ connection: Int32) -> Bool {
        let (fault, told) = state.withLock { state -> (S3Fault?, HTTPAnswer?) in
            let name = "\(request.method) \(request.path)"
            state.log.append(name)
            let number = state.counts[name, default: 0]
            state.counts[name] = number + 1
            let told = state.answers.isEmpty ? nil : state.answers.removeFirst()
            let fault = state.faults.fault(request.method, request.path, number: number)
            state.faulted += fault == nil ? 0 : 1
            return (fault, told)
        }
        let withBody = request.method != "HEAD"
        if let told {
            told.write(to: connection, withBody: withBody)
            return true
        }
        switch fault {
        case .resetBeforeActing:
            reset(connection)
            return false
        case .resetAfterActing:
            _ = act(request)
            reset(connection)
            return false
        case .errorAfterActing:
            _ = act(request)
            fault?.answer?.write(to: connection, withBody: withBody)
            return true
        case .cutBody:
            let answer = act(request)
            answer.write(to: connection, withBody: withBody, sent: answer.body.count / 2)
            return answer.body.isEmpty
        case .closeAfterAnswer:
            act(request).write(to: connection, withBody: withBody)
            return false
        case .silence:
            Thread.sleep(forTimeInterval: 5)
            return false
        case .conflict where request.headers["if-none-match"] == nil: break
        case .some(let fault):
            fault.answer?.write(to: connection, withBody: withBody)
            return true
        case nil: break
        }
        act(request).write(to: connection, withBody: withBody)
        return true
    }

    /// A reset, not an orderly end.
    private func reset(_ connection: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
}
