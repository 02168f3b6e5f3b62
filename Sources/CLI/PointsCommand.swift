import ArgumentParser
import Converter
import Foundation
import Projects
import Replicator

struct PointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "points", abstract: "List the recovery points in a store, oldest first.",
        discussion: """
            changed: in bytes, what was other than in the point before. stored: what was new to the store, compressed.
            verified: when 'verify' saw it last. preflight: what came of the last boot test.

            Without a STORE: what this host has seen of all of them, when it looked last. That is kept in a catalogue under
            XDG_STATE_HOME, and can be had from the stores again.

            Examples:
              rehost points /backup/store
              rehost points /backup/store web01 --format json
              rehost points
            """)

    @Argument(help: "The store; all that were seen from here where it is left out.") var store: String?
    @Argument(help: "Only this machine's.") var machine: String?
    @Flag(help: "Forget what is known of the store, and read all of its records anew.") var rebuild = false
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var voice: VoiceOptions

    func validate() throws {
        if rebuild, store == nil { throw ValidationError("--rebuild needs the STORE to read") }
    }

    func run() async throws {
        guard let store else { return try await showAll() }
        let repository = try await storeOptions.request(store).open()
        if rebuild { try Catalogue.removeIfBroken() }
        let entries: [Catalogue.Entry]
        do {
            let catalogue = try Catalogue()
            if rebuild { try await catalogue.forget(repository) }
            entries = try await catalogue.points(
                in: repository, at: storeOptions.request(store).place, machine: machine)
        } catch let failure as Catalogue.Failure {
            // It only makes a list quick.
            Console.error("note: \(failure)\n")
            entries = try await Catalogue.entries(of: repository, machine: machine)
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(PointsReport(entries)))
        case .text: Console.result(PointsText.table(entries))
        }
    }

    private func showAll() async throws {
        let seen = try await Catalogue().all()
        switch voice.format {
        case .json:
            Console.result(
                try JSON.encode(
                    SeenReport(
                        stores: seen.map { .init(location: $0.location, seen: $0.time, points: .init($0.entries)) })))
        case .text:
            if seen.isEmpty { Console.result("no store was seen from here; name one: rehost points STORE\n") }
            for store in seen {
                Console.result("\(store.location), as it was on \(PointsText.time(store.time))\n")
                Console.result(PointsText.table(store.entries) + "\n")
            }
        }
    }
}

private struct SeenReport: Encodable {
    struct Item: Encodable {
        var location: String
        var seen: Date
        var points: PointsReport
    }

    var schema = "rehost.stores/1"
    var stores: [Item]
}

struct PointsReport: Encodable {
    struct Item: Encodable {
        var id: String
        var machine: String
        var time: Date
        var size: UInt64
        var changed: UInt64
        var stored: UInt64
        var consistency: RecoveryPoint.Consistency
        var isDamaged: Bool
        var verified: PointHistory.Check?
        var preflight: PointHistory.Boot?
        var disks: [RecoveryPoint.Disk]
    }

    var schema = "rehost.points/1"
    var points: [Item]
    /// Of a capture, in bytes: read of its course, and to check the source's word of what hasn't changed.
    var read: UInt64?
    var sampled: UInt64?

    init(_ entries: [Catalogue.Entry]) {
        points = entries.map { entry in
            let point = entry.point
            return Item(
                id: point.id, machine: point.machine, time: point.time, size: point.size, changed: point.changed,
                stored: point.stored, consistency: point.consistency, isDamaged: entry.isDamaged,
                verified: entry.history.verified, preflight: entry.history.preflight, disks: point.disks)
        }
    }

    /// One that was made just now.
    init(_ outcome: Capture.Outcome) {
        self.init([Catalogue.Entry(point: outcome.point, history: PointHistory(), isDamaged: false)])
        read = outcome.read
        sampled = outcome.sampled
    }
}

/// Recovery points for people.
enum PointsText {
    static func size(_ bytes: UInt64) -> String { PlanText.size(Int(clamping: bytes)) }

    /// In UTC, as the points' ids are.
    static func time(_ time: Date) -> String {
        time.formatted(.iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
    }

    static func table(_ entries: [Catalogue.Entry]) -> String {
        guard !entries.isEmpty else { return "no recovery points\n" }
        var rows = [
            ["machine", "point", "size", "changed", "stored", "consistency", "tracked", "verified", "preflight", ""]
        ]
        for entry in entries {
            let point = entry.point
            let tracking = Set(point.disks.map(\.tracking.rawValue)).sorted().joined(separator: "+")
            let check = entry.history.verified
            rows.append([
                point.machine, point.id, size(point.size), size(point.changed), size(point.stored),
                point.consistency.rawValue, tracking,
                check.map { "\(time($0.time).prefix(10)) \($0.isGood ? $0.depth.rawValue : "BAD")" } ?? "-",
                entry.history.preflight?.verdict ?? "-", entry.isDamaged ? "DAMAGED" : "",
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(
                separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
