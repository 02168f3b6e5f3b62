import Guest
import GuestTesting
import Testing

@testable import Hives

@Suite struct RecoveryTests {
    /// The empty hive with a primary sequence number that is one ahead.
    private var dirty: [UInt8] {
        var bytes = EmptyHive.bytes
        bytes.replaceSubrange(4..<8, with: LittleEndian.bytes(UInt32(8)))
        bytes.replaceSubrange(8..<12, with: LittleEndian.bytes(UInt32(7)))
        bytes.replaceSubrange(508..<512, with: LittleEndian.bytes(EmptyHive.checksum(bytes)))
        return bytes
    }

    /// The first bin with one byte changed, past its cells.
    private func page(_ mark: UInt8) -> [UInt8] {
        var bin = Array(EmptyHive.bytes[4096...])
        bin[4000] = mark
        return bin
    }

    private func log(_ first: UInt32, _ marks: [UInt8]) -> [UInt8] {
        SampleLog(first: first, entries: marks.map { mark in (UInt32(4096), [(UInt32(0), page(mark))]) })
            .bytes(base: dirty)
    }

    @Test func aCleanHiveNeedsNothing() throws {
        #expect(try HiveRecovery.recover(EmptyHive.bytes, logs: [log(7, [1])]) == nil)
    }

    @Test func logsAreAppliedInTheirOrder() throws {
        // LOG2 may be the older one.
        let whole = try #require(try HiveRecovery.recover(dirty, logs: [log(9, [3]), log(7, [1, 2])]))
        #expect(whole.transactions == 3)
        #expect(whole.bytes[4096 + 4000] == 3)
        let header = try #require(HiveHeader(whole.bytes))
        #expect(header.isClean)
        // Past the last entry's, so that none is applied again.
        #expect(header.primarySequence == 10)
    }

    @Test func anOldLogIsLeftOut() throws {
        let whole = try #require(try HiveRecovery.recover(dirty, logs: [log(3, [1, 2]), log(7, [9])]))
        #expect(whole.transactions == 1)
        #expect(whole.bytes[4096 + 4000] == 9)
    }

    @Test func aGapBetweenLogsIsRefused() throws {
        #expect(throws: HiveRecovery.Failure.self) {
            try HiveRecovery.recover(dirty, logs: [log(7, [1]), log(9, [2])])
        }
    }

    @Test(arguments: [[], [[]], [[UInt8](repeating: 0, count: 4096)]] as [[[UInt8]]])
    func aDirtyHiveWithoutLogsIsRefused(_ logs: [[UInt8]]) throws {
        #expect(throws: HiveRecovery.Failure.self) { try HiveRecovery.recover(dirty, logs: logs) }
    }

    @Test func whatIsNoHiveIsRefused() throws {
        #expect(throws: HiveRecovery.Failure.self) { try HiveRecovery.recover([], logs: []) }
        #expect(throws: HiveRecovery.Failure.self) {
            try HiveRecovery.recover([UInt8](repeating: 7, count: 8192), logs: [])
        }
    }

    /// A torn entry ends the log: what is before it counts.
    @Test func aTornEntryIsTheEnd() throws {
        var torn = log(7, [1, 2])
        torn[torn.count - 600] ^= 0xFF
        let whole = try #require(try HiveRecovery.recover(dirty, logs: [torn]))
        #expect(whole.transactions == 1)
        #expect(whole.bytes[4096 + 4000] == 1)
    }

    @Test func aBrokenBaseBlockIsMendedFromTheLog() throws {
        var broken = dirty
        broken[100] ^= 1
        let whole = try #require(try HiveRecovery.recover(broken, logs: [log(7, [5])]))
        #expect(whole.bytes[100] == EmptyHive.bytes[100])
        #expect(try #require(HiveHeader(whole.bytes)).isClean)
    }

    @Test func aHiveGrowsAsItsLogSays() throws {
        var bin = [UInt8]("hbin".utf8) + LittleEndian.bytes(UInt32(4096)) + LittleEndian.bytes(UInt32(4096))
        bin += [UInt8](repeating: 0, count: 20) + LittleEndian.bytes(UInt32(4064))
        bin += [UInt8](repeating: 0, count: 4096 - bin.count)
        let log = SampleLog(first: 7, entries: [(8192, [(4096, bin)])]).bytes(base: dirty)
        let whole = try #require(try HiveRecovery.recover(dirty, logs: [log]))
        #expect(whole.bytes.count == 4096 + 8192)
        #expect(HiveHeader(whole.bytes)?.binsSize == 8192)
    }

    /// Windows 7: one bitmap of 512-byte pages, and the pages.
    @Test func theOldLogIsAppliedWhereItsTimeIsTheHives() throws {
        var log = Array(dirty.prefix(512))
        log.replaceSubrange(4..<12, with: LittleEndian.bytes(UInt32(8)) + LittleEndian.bytes(UInt32(8)))
        log.replaceSubrange(28..<32, with: LittleEndian.bytes(UInt32(1)))
        log.replaceSubrange(508..<512, with: LittleEndian.bytes(EmptyHive.checksum(log)))
        // The eighth page is the one with the mark.
        var vector = [UInt8]("DIRT".utf8) + [0b1000_0000]
        vector += [UInt8](repeating: 0, count: 512 - vector.count)
        log += vector + Array(page(6)[3584..<4096])
        let whole = try #require(try HiveRecovery.recover(dirty, logs: [log]))
        #expect(whole.bytes[4096 + 4000] == 6)
        #expect(try #require(HiveHeader(whole.bytes)).isClean)

        var other = dirty
        other[12] = 1
        other.replaceSubrange(508..<512, with: LittleEndian.bytes(EmptyHive.checksum(other)))
        #expect(throws: HiveRecovery.Failure.self) { try HiveRecovery.recover(other, logs: [log]) }
    }

    /// Whatever is broken in a log or a hive, it ends in an answer.
    @Test func brokenFilesEndInAnAnswer() throws {
        var random = Seeded(17)
        for _ in 0..<400 {
            var hive = dirty
            var log = log(7, [1, 2])
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                if Bool.random(using: &random) {
                    hive[Int.random(in: 0..<hive.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                } else {
                    log[Int.random(in: 0..<log.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            if let whole = try? HiveRecovery.recover(hive, logs: [log]) {
                #expect(HiveHeader(whole.bytes)?.isClean == true)
            }
        }
    }

    @Test(.enabled(if: RealHives.has("SYSTEM-win10-gpt-dirty"), "the real hives are not here"))
    func aRealHiveTakesAllOfItsTransactions() throws {
        let hive = try RealHives.bytes("SYSTEM-win10-gpt-dirty")
        let logs = try [1, 2].map { try RealHives.bytes("SYSTEM-win10-gpt-dirty.LOG\($0)") }
        let whole = try #require(try HiveRecovery.recover(hive, logs: logs))
        // 4 in the first log, 20 in the second, as an independent reading of them says.
        #expect(whole.transactions == 24)
        let header = try #require(HiveHeader(whole.bytes))
        #expect(header.binsSize == 0xC0_2000)
        #expect(header.primarySequence == 0x853)
    }

    @Test(.enabled(if: RealHives.has("SYSTEM-win8-vbox-dirty"), "the real hives are not here"))
    func aRealHiveWithoutItsLogsIsRefused() throws {
        let hive = try RealHives.bytes("SYSTEM-win8-vbox-dirty")
        #expect(throws: HiveRecovery.Failure.self) { try HiveRecovery.recover(hive, logs: []) }
    }
}
