import Foundation

/// A request as it came over the wire.
struct HTTPExchange {
    var method = ""
    /// Encoded.
    var path = ""
    /// Decoded.
    var query: [(name: String, value: String)] = []
    /// By names in small letters.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// What begins with no letter may be TLS.
    var isUnderstood = true

    /// Waits for the next one of a connection; nil at its end.
    init?(from socket: Int32) {
        var bytes: [UInt8] = []
        var end: Int?
        while end == nil {
            guard Self.read(socket, &bytes), bytes.count < 1 << 20 else { return nil }
            guard let first = bytes.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
                isUnderstood = false
                return
            }
            end = Self.end(of: bytes)
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let words = lines.first?.split(separator: " ").map(String.init) ?? []
        guard words.count == 3 else { return nil }
        method = words[0]
        let target = words[1].split(separator: "?", maxSplits: 1).map(String.init)
        path = target[0]
        for field in target.count > 1 ? target[1].split(separator: "&") : [] {
            let halves = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ text: Substring) -> String { String(text).removingPercentEncoding ?? "" }
            query.append((decoded(halves[0]), halves.count > 1 ? decoded(halves[1]) : ""))
        }
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            headers[halves[0].lowercased()] = halves[1].trimmingCharacters(in: .whitespaces)
        }
        body = Array(bytes[(end + 4)...])
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        body.reserveCapacity(length)
        while body.count < length { guard Self.read(socket, &body) else { return nil } }
    }

    private static func end(of bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == mark }
    }

    private static func read(_ socket: Int32, _ bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        bytes += buffer[..<count]
        return true
    }

    func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

struct HTTPAnswer {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// nil: as long as the body is.
    var length: Int?

    static func error(_ status: Int, _ code: String, _ more: String = "") -> HTTPAnswer {
        let text = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>told to</Message>\(more)</Error>"
        return HTTPAnswer(status: status, headers: [("Content-Type", "application/xml")], body: Array(text.utf8))
    }

    /// - Parameter sent: of the body, in bytes.
    func write(to socket: Int32, withBody: Bool, sent: Int? = nil) {
        var text = "HTTP/1.1 \(status) Told\r\nContent-Length: \(length ?? body.count)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        let bytes = Array((text + "\r\n").utf8) + (withBody ? body.prefix(sent ?? body.count) : [])
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(socket, $0.baseAddress?.advanced(by: done), $0.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            done += count
        }
    }
}
