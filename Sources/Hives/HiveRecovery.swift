internal import Guest

/// Brings a hive that wasn't closed cleanly up to date with its logs, as Windows does when it loads it.
///
/// Rules by number are those of "Windows registry file format specification" (github.com/msuhanov/regf), "Log entries".
public enum HiveRecovery {
    public struct Failure: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    public struct Recovered: Equatable, Sendable {
        /// The whole hive, clean.
        public var bytes: [UInt8]
        public var transactions: Int
    }

    /// - Parameter logs: LOG1 and LOG2, or LOG; empty ones don't count.
    /// - Returns: nil for a hive that is clean: logs don't count then.
    public static func recover(_ hive: [UInt8], logs: [[UInt8]]) throws(Failure) -> Recovered? {
        guard let header = HiveHeader(hive) else { throw Failure(description: "it is no registry hive") }
        if header.isClean { return nil }
        let usable = logs.compactMap { HiveLog($0) }
        guard !usable.isEmpty else {
            throw Failure(
                description: "it was not closed cleanly, and \(logs.isEmpty ? "it has no" : "nothing usable is in its")"
                    + " transaction logs")
        }
        let chosen = try choose(usable, for: hive, header)
        var bytes = hive
        if !header.hasValidChecksum, let log = chosen.first {
            bytes.replaceSubrange(0..<HiveHeader.sectorSize, with: log.headerBytes)
        }
        if bytes.count < HiveHeader.size {
            bytes += [UInt8](repeating: 0, count: HiveHeader.size - bytes.count)
        }
        let transactions = chosen.flatMap(\.transactions)
        for transaction in transactions { try apply(transaction, to: &bytes) }
        guard let last = transactions.last else { throw Failure(description: "its transaction logs are empty") }
        finish(&bytes, last)
        try check(bytes)
        return Recovered(bytes: bytes, transactions: transactions.count)
    }

    /// Larger hives don't load: the limit of the format is 4 GiB, that of Windows for SYSTEM far below.
    private static let largest = 1 << 30

    private static func choose(
        _ logs: [HiveLog], for hive: [UInt8], _ header: HiveHeader
    ) throws(Failure) -> [HiveLog] {
        // The old kind belongs to a hive by its time stamp; where the base block is broken, by that of the first bin.
        let old = logs.filter(\.isOldFormat)
        if !old.isEmpty {
            let written = header.hasValidChecksum ? header.lastWritten : LittleEndian(hive).u64(HiveHeader.size + 20)
            guard let log = old.first(where: { $0.header.lastWritten == written }) else {
                throw Failure(description: "it was not closed cleanly, and its transaction log is of another time")
            }
            return [log]
        }
        // Rule 7: a log that starts before what the hive has is an old one.
        let current = logs.filter {
            !header.hasValidChecksum || $0.header.primarySequence >= header.secondarySequence
        }
        .sorted { $0.header.primarySequence < $1.header.primarySequence }
        guard let first = current.first else {
            throw Failure(description: "it was not closed cleanly, and its transaction logs are older than it is")
        }
        guard current.count > 1, let end = first.transactions.last else { return [first] }
        guard current[1].header.primarySequence == end.sequence &+ 1 else {
            throw Failure(
                description: "it was not closed cleanly, and transactions are missing between its two logs"
                    + " (\(end.sequence) and \(current[1].header.primarySequence))")
        }
        return current
    }

    private static func apply(_ transaction: HiveLog.Transaction, to bytes: inout [UInt8]) throws(Failure) {
        let size = HiveHeader.size + Int(transaction.binsSize)
        guard size <= largest else { throw Failure(description: "its transaction log makes it \(size >> 20) MiB long") }
        // Rule 9: it grows, and never shrinks below what its pages need.
        if bytes.count < size { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
        for (offset, page) in transaction.pages {
            let at = HiveHeader.size + offset
            guard at + page.count <= bytes.count else {
                throw Failure(description: "its transaction log writes past its end")
            }
            bytes.replaceSubrange(at..<at + page.count, with: page)
        }
    }

    /// Numbers past those of every entry, so that none is ever applied again.
    private static func finish(_ bytes: inout [UInt8], _ last: HiveLog.Transaction) {
        let sequence = LittleEndian.bytes(last.sequence &+ 1)
        bytes.replaceSubrange(4..<8, with: sequence)
        bytes.replaceSubrange(8..<12, with: sequence)
        bytes.replaceSubrange(28..<32, with: [0, 0, 0, 0])
        bytes.replaceSubrange(40..<44, with: LittleEndian.bytes(last.binsSize))
        // Rule 11.
        if let flags = last.flags { bytes[144] = bytes[144] & 0xFE | UInt8(flags & 1) }
        bytes.replaceSubrange(508..<512, with: LittleEndian.bytes(HiveHeader.checksum(bytes)))
    }

    /// Whether the bins follow each other without a gap, each with its own place in its header.
    private static func check(_ bytes: [UInt8]) throws(Failure) {
        let number = LittleEndian(bytes)
        let end = Int(number.u32(40))
        var at = 0
        while at < end {
            let bin = HiveHeader.size + at
            let size = Int(number.u32(bin + 8))
            guard bin + 32 <= bytes.count, bytes[bin..<bin + 4].elementsEqual("hbin".utf8),
                Int(number.u32(bin + 4)) == at, size > 0, size % 4096 == 0, size <= end - at
            else {
                throw Failure(
                    description: "it was not closed cleanly, and with its transaction logs it is still damaged")
            }
            at += size
        }
    }
}
