internal import Foundation
internal import Host

/// QEMU's machine protocol over the program's stdin and stdout (docs/interop/qmp-spec in QEMU's sources).
final class QMP: @unchecked Sendable {
    struct Event: Sendable {
        var name: String
        /// The event's data that are text, numbers or truth values, as text.
        var data: [String: String]

        init(name: String, data: Any?) {
            self.name = name
            self.data = (data as? [String: Any] ?? [:]).compactMapValues { value in
                (value as? String) ?? (value as? NSNumber).map { "\($0)" }
            }
        }
    }

    struct Failure: Error, CustomStringConvertible {
        var command: String
        var reason: String
        var description: String {
            "could not have QEMU do '\(command)': \(reason)\nhint: try again, on a less busy machine; is its memory enough?"
        }
    }

    // All touched with the lock held; the reader's thread fills them.
    private let lock = NSLock()
    private var pending = Data()
    private var events: [Event] = []
    private var waiting: [Int: CheckedContinuation<Data, any Error>] = [:]
    private var nextID = 1
    private var isGreeted = false
    private var isClosed = false
    /// Set once, before the first command.
    private var send: (@Sendable (Data) -> Void)?

    /// A guest can make QEMU report without end; nobody needs the thousandth.
    private static let eventLimit = 4096
    private static let lineLimit = 8 << 20

    func connect(_ send: @escaping @Sendable (Data) -> Void) { lock.withLock { self.send = send } }

    /// What QEMU wrote, in pieces of any size.
    func receive(_ piece: Data) {
        var lines: [Data] = []
        lock.withLock {
            pending.append(piece)
            while let end = pending.firstIndex(of: 10) {
                lines.append(pending[pending.startIndex..<end])
                pending = Data(pending[pending.index(after: end)...])
            }
            if pending.count > Self.lineLimit { pending = Data() }
        }
        for line in lines { take(line) }
    }

    /// Fails whatever still waits: QEMU is gone.
    func close() {
        let abandoned = lock.withLock {
            isClosed = true
            defer { waiting = [:] }
            return waiting.values.map { $0 }
        }
        for continuation in abandoned { continuation.resume(throwing: Failure(command: "answer", reason: "it ended")) }
    }

    var hasGreeted: Bool { lock.withLock { isGreeted } }

    func takeEvents() -> [Event] {
        lock.withLock {
            defer { events = [] }
            return events
        }
    }

    /// Runs a command and returns the JSON of its answer.
    /// - Parameter limit: seconds; QEMU's main loop may be held up for a while by a busy guest.
    @discardableResult
    func execute(
        _ command: String, _ arguments: [String: any Sendable] = [:], limit: Double = 60
    ) async throws -> Data {
        let id = lock.withLock {
            nextID += 1
            return nextID
        }
        let line = try JSONSerialization.data(
            withJSONObject: ["execute": command, "arguments": arguments, "id": id] as [String: Any])
        let timer = Task {
            try await Task.sleep(for: .seconds(limit))
            fail(id, Failure(command: command, reason: "no answer in \(Int(limit)) s"))
        }
        defer { timer.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let (send, isClosed) = lock.withLock {
                if !self.isClosed { waiting[id] = continuation }
                return (self.send, self.isClosed)
            }
            guard let send, !isClosed else {
                if isClosed { continuation.resume(throwing: Failure(command: command, reason: "it ended")) }
                return
            }
            send(line + Data("\n".utf8))
        }
    }

    private func fail(_ id: Int, _ error: any Error) {
        lock.withLock { waiting.removeValue(forKey: id) }?.resume(throwing: error)
    }

    private func take(_ line: Data) {
        guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else { return }
        if object["QMP"] != nil {
            lock.withLock { isGreeted = true }
        } else if let name = object["event"] as? String {
            let event = Event(name: name, data: object["data"])
            lock.withLock { if events.count < Self.eventLimit { events.append(event) } }
        } else if let id = (object["id"] as? NSNumber)?.intValue {
            if let error = object["error"] as? [String: Any] {
                fail(id, Failure(command: "a command", reason: error["desc"] as? String ?? "it refused"))
            } else {
                let answer =
                    (try? JSONSerialization.data(withJSONObject: object["return"] ?? [:] as [String: Any])) ?? Data()
                lock.withLock { waiting.removeValue(forKey: id) }?.resume(returning: answer)
            }
        }
    }
}
