internal import Foundation
internal import Glibc

/// Asks the QEMU guest agent over its socket (QEMU's docs/interop/qemu-ga-ref). It answers at once or not at all.
final class AgentClient {
    private let path: String

    private static let answerLimit = 1 << 20
    /// For all that is asked, in seconds: a guest may answer byte by byte.
    private static let patience = 4.0
    private static let textLimit = 300

    init(path: String) { self.path = path }

    /// - Returns: nil where nobody answers within a second or two.
    func ask() async -> AgentFacts? {
        let path = path
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Self.ask(path)) }
        }
    }

    private static func ask(_ path: String) -> AgentFacts? {
        guard let socket = connect(path) else { return nil }
        defer { close(socket) }
        let end = ContinuousClock.now + .seconds(patience)
        // 0xFF has the agent drop what a former client left in its parser.
        let token = Int(UInt32.random(in: 1...UInt32.max >> 1))
        _ = write(socket, [0xFF], 1)
        guard let synced = call(socket, until: end, "guest-sync", ["id": token]) as? NSNumber, synced.intValue == token
        else {
            return nil
        }
        let info = call(socket, until: end, "guest-info") as? [String: Any]
        let system = call(socket, until: end, "guest-get-osinfo") as? [String: Any]
        let host = call(socket, until: end, "guest-get-host-name") as? [String: Any]
        let cards = call(socket, until: end, "guest-network-get-interfaces") as? [[String: Any]] ?? []
        var addresses: [String: [String]] = [:]
        for card in cards.prefix(64) {
            guard let name = short(card["name"]), name != "lo" else { continue }
            addresses[name] = (card["ip-addresses"] as? [[String: Any]] ?? []).prefix(16).compactMap { entry in
                guard let address = short(entry["ip-address"]) else { return nil }
                return "\(address)/\((entry["prefix"] as? NSNumber)?.intValue ?? 0)"
            }
        }
        return AgentFacts(
            version: short(info?["version"]) ?? "unknown", system: short(system?["pretty-name"]),
            hostName: short(host?["host-name"]), addresses: addresses)
    }

    private static func short(_ value: Any?) -> String? { (value as? String).map { String($0.prefix(textLimit)) } }

    private static func connect(_ path: String) -> Int32? {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            close(socket)
            return nil
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // A guest that doesn't answer must not hold up the test.
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        if isConnected { return socket }
        close(socket)
        return nil
    }

    /// The "return" of one command; nil where it has an error or no answer.
    private static func call(
        _ socket: Int32, until end: ContinuousClock.Instant, _ command: String, _ arguments: [String: Int] = [:]
    ) -> Any? {
        var request: [String: Any] = ["execute": command]
        if !arguments.isEmpty { request["arguments"] = arguments }
        guard let data = try? JSONSerialization.data(withJSONObject: request) else { return nil }
        let line = Array(data) + [10]
        // The other end may be gone; SIGPIPE must not end us.
        guard send(socket, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else { return nil }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while answer.count < answerLimit, ContinuousClock.now < end {
            let count = recv(socket, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            answer += piece.prefix(count)
            if answer.last == 10 { break }
        }
        let text = answer.drop { $0 == 0xFF }
        let object = (try? JSONSerialization.jsonObject(with: Data(text))) as? [String: Any]
        return object?["return"]
    }
}
