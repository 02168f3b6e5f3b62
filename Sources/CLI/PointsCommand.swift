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

            Examples:
              rehost points /backup/store
              rehost points /backup/store web01 --format json
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "Only this machine's.") var machine: String?
    @OptionGroup var key: StoreKeyOptions
    @OptionGroup var voice: VoiceOptions

    func run() async throws {
        let repository = try await key.request(store).open()
        let points: [RecoveryPoint]
        if let machine {
            points = try await repository.knownPoints(of: machine)
        } else {
            points = try await repository.points()
        }
        let damaged = try await repository.pointsWithDamage()
        switch voice.format {
        case .json: Console.result(try JSON.encode(PointsReport(points, damaged: damaged)))
        case .text: Console.result(PointsText.table(points, damaged))
        }
    }
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
        var disks: [RecoveryPoint.Disk]
    }

    var schema = "rehost.points/1"
    var points: [Item]

    init(_ points: [RecoveryPoint], damaged: Set<String> = []) {
        self.points = points.map { point in
            Item(
                id: point.id, machine: point.machine, time: point.time, size: point.size, changed: point.changed,
                stored: point.stored, consistency: point.consistency, isDamaged: damaged.contains(point.id),
                disks: point.disks)
        }
    }
}

/// Recovery points for people.
enum PointsText {
    static func size(_ bytes: UInt64) -> String { PlanText.size(Int(clamping: bytes)) }

    static func table(_ points: [RecoveryPoint], _ damaged: Set<String>) -> String {
        guard !points.isEmpty else { return "no recovery points\n" }
        var rows = [["machine", "point", "size", "changed", "stored", "consistency", "tracked", ""]]
        for point in points {
            let tracking = Set(point.disks.map(\.tracking.rawValue)).sorted().joined(separator: "+")
            rows.append([
                point.machine, point.id, size(point.size), size(point.changed), size(point.stored),
                point.consistency.rawValue, tracking, damaged.contains(point.id) ? "DAMAGED" : "",
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
