internal import Foundation
internal import Glibc
internal import Host

/// One client of an NBD server, from the greeting to its end: the fixed newstyle handshake, structured replies, and the context
/// `base:allocation`. Numbers are those of the protocol's description (NetworkBlockDevice/nbd, doc/proto.md).
final class NBDServing: @unchecked Sendable {
    private enum Magic {
        static let greeting: UInt64 = 0x4E42_444D_4147_4943
        static let options: UInt64 = 0x4948_4156_454F_5054
        static let optionReply: UInt64 = 0x0003_E889_0455_65A9
        static let request: UInt32 = 0x2560_9513
        static let simpleReply: UInt32 = 0x6744_6698
        static let structuredReply: UInt32 = 0x668E_33EF
    }

    private enum Option: UInt32 {
        case exportName = 1
        case abort = 2
        case list = 3
        case info = 6
        case go = 7
        case structuredReply = 8
        case listMetaContext = 9
        case setMetaContext = 10
    }

    private enum Answer {
        static let acknowledged: UInt32 = 1
        static let server: UInt32 = 2
        static let info: UInt32 = 3
        static let metaContext: UInt32 = 4
        static let unsupported: UInt32 = 1 << 31 | 1
        static let invalid: UInt32 = 1 << 31 | 3
        static let unknown: UInt32 = 1 << 31 | 6
    }

    private enum Command: UInt16 {
        case read = 0
        case write = 1
        case disconnect = 2
        case flush = 3
        case trim = 4
        case writeZeroes = 6
        case blockStatus = 7
    }

    /// Has flags, read-only, flush, several connections.
    private static let transmissionFlags: UInt16 = 1 | 2 | 4 | 1 << 8
    private static let allocation = "base:allocation"
    /// In bytes; clients keep to 32 MiB.
    private static let requestLimit: UInt32 = 64 << 20
    private static let optionLimit: UInt32 = 64 << 10

    private let descriptor: Int32
    private let exports: [(name: String, disk: RegionCache)]
    // Only the connection's thread changes these, before requests are answered.
    private var isStructured = false
    private var hasAllocation = false
    /// Held while a reply is written: they come from several tasks.
    private let writing = NSLock()
    /// Requests that are worked on at once.
    private let slots = DispatchSemaphore(value: 16)
    private let pending = DispatchGroup()

    private struct Ended: Error {}

    private let pool: WorkerPool

    init(_ descriptor: Int32, exports: [(name: String, disk: RegionCache)], pool: WorkerPool) {
        self.descriptor = descriptor
        self.pool = pool
        self.exports = exports
    }

    /// Returns when the client is gone.
    func run() {
        // Whatever the client did: it is the only one to suffer.
        if let disk = try? negotiate() { try? transmit(disk) }
        pending.wait()
        close(descriptor)
    }

    // MARK: Bytes

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: done), count - done, 0)
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw Ended() }
            done += got
        }
        return bytes
    }

    private func send(_ parts: [[UInt8]]) throws {
        for bytes in parts {
            var done = 0
            while done < bytes.count {
                let sent = bytes.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, Int32(MSG_NOSIGNAL))
                }
                if sent < 0, errno == EINTR { continue }
                guard sent > 0 else { throw Ended() }
                done += sent
            }
        }
    }

    /// Most significant byte first, as everything in the protocol.
    private static func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * Number($0))) }
    }

    private static func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ bytes: [UInt8], _ at: Int, as: Number.Type
    ) -> Number {
        (0..<Number.bitWidth / 8).reduce(0) { $0 << 8 | Number(bytes[at + $1]) }
    }

    // MARK: Handshake

    private func negotiate() throws -> RegionCache? {
        // Fixed newstyle; no zeros behind an export that is chosen by name.
        try send([Self.big(Magic.greeting) + Self.big(Magic.options) + Self.big(UInt16(1 | 2))])
        let flags = Self.number(try receive(4), 0, as: UInt32.self)
        while true {
            let head = try receive(16)
            guard Self.number(head, 0, as: UInt64.self) == Magic.options else { throw Ended() }
            let code = Self.number(head, 8, as: UInt32.self)
            let length = Self.number(head, 12, as: UInt32.self)
            guard length <= Self.optionLimit else { throw Ended() }
            let data = try receive(Int(length))
            switch Option(rawValue: code) {
            case .exportName:
                guard let disk = export(String(decoding: data, as: UTF8.self)) else { throw Ended() }
                let zeros = flags & 2 == 0 ? [UInt8](repeating: 0, count: 124) : []
                try send([Self.big(disk.manifest.size) + Self.big(Self.transmissionFlags) + zeros])
                return disk
            case .abort:
                try answer(code, Answer.acknowledged)
                throw Ended()
            case .list:
                for export in exports {
                    let name = Array(export.name.utf8)
                    try answer(code, Answer.server, Self.big(UInt32(name.count)) + name)
                }
                try answer(code, Answer.acknowledged)
            case .info, .go:
                guard let (name, rest) = Self.name(data) else {
                    try answer(code, Answer.invalid)
                    continue
                }
                guard let disk = export(name) else {
                    try answer(code, Answer.unknown)
                    continue
                }
                try answer(
                    code, Answer.info,
                    Self.big(UInt16(0)) + Self.big(disk.manifest.size) + Self.big(Self.transmissionFlags))
                if Self.wantsBlockSize(rest) {
                    // Any stretch will do; whole regions are best.
                    try answer(
                        code, Answer.info,
                        Self.big(UInt16(3)) + Self.big(UInt32(1)) + Self.big(UInt32(4096)) + Self.big(UInt32(32 << 20)))
                }
                try answer(code, Answer.acknowledged)
                if code == Option.go.rawValue { return disk }
            case .structuredReply:
                isStructured = true
                try answer(code, Answer.acknowledged)
            case .listMetaContext, .setMetaContext: try answerContexts(code, data)
            case nil: try answer(code, Answer.unsupported)
            }
        }
    }

    private func answer(_ option: UInt32, _ type: UInt32, _ data: [UInt8] = []) throws {
        try send([
            Self.big(Magic.optionReply) + Self.big(option) + Self.big(type) + Self.big(UInt32(data.count)) + data
        ])
    }

    private func export(_ name: String) -> RegionCache? {
        name.isEmpty ? exports.first?.disk : exports.first { $0.name == name }?.disk
    }

    /// A length and so many bytes, and what follows them.
    private static func name(_ data: [UInt8]) -> (String, [UInt8])? {
        guard data.count >= 4 else { return nil }
        let length = Int(number(data, 0, as: UInt32.self))
        guard length <= data.count - 4 else { return nil }
        return (String(decoding: data[4..<4 + length], as: UTF8.self), Array(data[(4 + length)...]))
    }

    private static func wantsBlockSize(_ data: [UInt8]) -> Bool {
        guard data.count >= 2 else { return false }
        let count = Int(number(data, 0, as: UInt16.self))
        return (0..<count).contains { 2 + 2 * $0 + 2 <= data.count && number(data, 2 + 2 * $0, as: UInt16.self) == 3 }
    }

    private func answerContexts(_ code: UInt32, _ data: [UInt8]) throws {
        guard isStructured, let (_, rest) = Self.name(data), rest.count >= 4 else {
            return try answer(code, Answer.invalid)
        }
        var left = Array(rest[4...])
        var queries: [String] = []
        while let (query, more) = Self.name(left), queries.count < 64 {
            queries.append(query)
            left = more
        }
        let isSetting = code == Option.setMetaContext.rawValue
        let isWanted =
            queries.contains(Self.allocation) || (!isSetting && (queries.isEmpty || queries.contains("base:")))
        if isSetting { hasAllocation = isWanted }
        if isWanted { try answer(code, Answer.metaContext, Self.big(UInt32(1)) + Array(Self.allocation.utf8)) }
        try answer(code, Answer.acknowledged)
    }

    // MARK: Requests

    private struct Request: Sendable {
        var command: UInt16
        var cookie: [UInt8]
        var offset: UInt64
        var length: UInt32
    }

    private func transmit(_ disk: RegionCache) throws {
        while true {
            let head = try receive(28)
            guard Self.number(head, 0, as: UInt32.self) == Magic.request else { throw Ended() }
            let request = Request(
                command: Self.number(head, 6, as: UInt16.self), cookie: Array(head[8..<16]),
                offset: Self.number(head, 16, as: UInt64.self), length: Self.number(head, 24, as: UInt32.self))
            switch Command(rawValue: request.command) {
            case .disconnect: return
            case .write:
                guard request.length <= Self.requestLimit else { throw Ended() }
                _ = try receive(Int(request.length))
                try fail(request, EPERM)
            case .trim, .writeZeroes: try fail(request, EPERM)
            case .flush: try reply(request, type: 0, [])
            case .read, .blockStatus:
                let end = request.offset.addingReportingOverflow(UInt64(request.length))
                guard !end.overflow, end.partialValue <= disk.manifest.size, request.length > 0,
                    request.command != 0 || request.length <= Self.requestLimit
                else {
                    try fail(request, EINVAL)
                    continue
                }
                if request.command == Command.blockStatus.rawValue {
                    try status(request, disk)
                    continue
                }
                slots.wait()
                pending.enter()
                Task(executorPreference: pool) { [self] in
                    await read(request, disk)
                    slots.signal()
                    pending.leave()
                }
            case nil: try fail(request, EINVAL)
            }
        }
    }

    private func read(_ request: Request, _ disk: RegionCache) async {
        do {
            if isStructured, disk.extents(request.offset, UInt64(request.length)).allSatisfy(\.isZero) {
                // 2: a hole, its offset and its length, in place of its zeros.
                return try reply(request, type: 2, Self.big(request.offset) + Self.big(request.length))
            }
            let bytes = try await disk.read(request.offset, Int(request.length))
            try reply(request, type: 1, isStructured ? Self.big(request.offset) : [], bytes)
        } catch is Ended {
            // The client is gone.
        } catch {
            try? fail(request, EIO)
        }
    }

    private func status(_ request: Request, _ disk: RegionCache) throws {
        guard isStructured, hasAllocation else { return try fail(request, EINVAL) }
        var payload = Self.big(UInt32(1))
        for extent in disk.extents(request.offset, UInt64(request.length)) {
            // 1: a hole; 2: it reads as zeros.
            payload += Self.big(UInt32(extent.length)) + Self.big(UInt32(extent.isZero ? 3 : 0))
        }
        try reply(request, type: 5, payload)
    }

    private func reply(_ request: Request, type: UInt16, _ parts: [UInt8]...) throws {
        let length = parts.reduce(0) { $0 + $1.count }
        let head =
            isStructured
            // 1: the last part of the reply.
            ? Self.big(Magic.structuredReply) + Self.big(UInt16(1)) + Self.big(type) + request.cookie
                + Self.big(UInt32(length))
            : Self.big(Magic.simpleReply) + Self.big(UInt32(0)) + request.cookie
        writing.lock()
        defer { writing.unlock() }
        try send([head] + parts)
    }

    private func fail(_ request: Request, _ code: Int32) throws {
        let head: [UInt8]
        if isStructured {
            head =
                Self.big(Magic.structuredReply) + Self.big(UInt16(1)) + Self.big(UInt16(1 << 15 | 1)) + request.cookie
                + Self.big(UInt32(6)) + Self.big(UInt32(code)) + Self.big(UInt16(0))
        } else {
            head = Self.big(Magic.simpleReply) + Self.big(UInt32(code)) + request.cookie
        }
        writing.lock()
        defer { writing.unlock() }
        try send([head])
    }
}
