import Foundation

@testable import Preflight

/// A boot that was recorded: its serial port's bytes, told to the judge as they would come.
struct Replay {
    var judge: Judge
    private var text = ConsoleText()
    private var clock = StillnessClock()
    private var signs = StillnessClock.Signs()
    private(set) var now = Judge.Moment(time: 0, cpu: 0)

    init(_ expectation: Judge.Expectation) { judge = Judge(expectation) }

    /// `busy` is the share of a core that the machine uses.
    mutating func pass(_ seconds: Double, busy: Double) {
        for _ in 0..<Int(seconds * 5) where judge.decision == nil { tick(busy) }
    }

    private mutating func tick(_ busy: Double) {
        now.time += 0.2
        now.cpu += 0.2 * busy
        clock.tick(signs, level: judge.level, at: now)
        judge.pass(now, clock.still)
    }

    mutating func say(_ words: String) { feed(Array(words.utf8)) }

    /// In pieces that end anywhere.
    mutating func feed(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: 97) where judge.decision == nil {
            let piece = bytes[start..<min(start + 97, bytes.count)]
            let lines = text.feed(piece)
            // The firmware starts anew: the machine was reset.
            for line in lines where line.contains("SeaBIOS (version") {
                if judge.level != nil, now.time > 1 { judge.see(event: .reset, at: now) }
            }
            judge.see(lines: lines, partial: text.partial, from: .serial, at: now)
            signs.serialBytes += piece.count
            tick(0.9)
        }
    }

    static func log(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Logs")
        return Array(try Data(contentsOf: folder.appendingPathComponent(name + ".log")))
    }
}
