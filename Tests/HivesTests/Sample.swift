import Guest
import GuestTesting

/// A log of the kind that Windows writes since 8.1.
struct SampleLog {
    var first: UInt32
    var entries: [(binsSize: UInt32, pages: [(offset: UInt32, bytes: [UInt8])])] = []

    func bytes(base: [UInt8]) -> [UInt8] {
        var log = Array(base.prefix(512))
        log.replaceSubrange(4..<8, with: LittleEndian.bytes(first))
        log.replaceSubrange(8..<12, with: LittleEndian.bytes(first))
        log.replaceSubrange(28..<32, with: LittleEndian.bytes(UInt32(6)))
        log.replaceSubrange(508..<512, with: LittleEndian.bytes(EmptyHive.checksum(log)))
        for (index, entry) in entries.enumerated() {
            var body: [UInt8] = []
            for page in entry.pages {
                body += LittleEndian.bytes(page.offset) + LittleEndian.bytes(UInt32(page.bytes.count))
            }
            for page in entry.pages { body += page.bytes }
            body += [UInt8](repeating: 0, count: (512 - (body.count + 40) % 512) % 512)
            var head =
                [UInt8]("HvLE".utf8) + LittleEndian.bytes(UInt32(body.count + 40)) + LittleEndian.bytes(UInt32(1))
            head += LittleEndian.bytes(first + UInt32(index)) + LittleEndian.bytes(entry.binsSize)
            head += LittleEndian.bytes(UInt32(entry.pages.count)) + LittleEndian.bytes(Reference.marvin(body))
            head += LittleEndian.bytes(Reference.marvin(head))
            log += head + body
        }
        return log
    }
}

/// The same hash, written another way: over the words of a padded copy.
enum Reference {
    static func marvin(_ bytes: [UInt8]) -> UInt64 {
        var padded = bytes + [0x80]
        while padded.count % 4 != 0 { padded.append(0) }
        let number = LittleEndian(padded)
        var state: [UInt32] = [0x7A4E_55C5, 0x82EF_4D88]
        func turn(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
        let words = (0..<padded.count / 4).map { number.u32(4 * $0) } + [0]
        for word in words {
            state[0] = state[0] &+ word
            state[1] ^= state[0]
            state[0] = turn(state[0], 20) &+ state[1]
            state[1] = turn(state[1], 9) ^ state[0]
            state[0] = turn(state[0], 27) &+ state[1]
            state[1] = turn(state[1], 19)
        }
        return UInt64(state[1]) << 32 | UInt64(state[0])
    }
}
