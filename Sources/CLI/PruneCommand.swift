import ArgumentParser
import Converter
import Foundation
import Projects
import Replicator

struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove recovery points by rules, and then what none of them needs.",
        discussion: """
            A point stays when one rule keeps it; a machine's newest good point stays in any case. Without a rule, no point
            goes. Captures may go on meanwhile: what they need stays.

            Examples:
              rehost prune /backup/store --keep-last 3 --keep-daily 7 --keep-weekly 4 --dry-run
              rehost prune /backup/store --machine web01 --keep-last 1
            """)

    @Argument(help: "The store.") var store: String
    @Option(help: "Only this machine's points.") var machine: String?
    @Option(name: .customLong("keep-last"), help: "The newest so many.") var last = 0
    @Option(name: .customLong("keep-hourly"), help: "The newest of each of so many hours.") var hourly = 0
    @Option(name: .customLong("keep-daily"), help: "The newest of each of so many days (UTC).") var daily = 0
    @Option(name: .customLong("keep-weekly"), help: "The newest of each of so many weeks.") var weekly = 0
    @Option(name: .customLong("keep-monthly"), help: "The newest of each of so many months.") var monthly = 0
    @Option(name: .customLong("keep-yearly"), help: "The newest of each of so many years.") var yearly = 0
    @Flag(name: .customLong("dry-run"), help: "Only say what would go.") var dryRun = false
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var voice: VoiceOptions

    func validate() throws {
        guard [last, hourly, daily, weekly, monthly, yearly].allSatisfy({ $0 >= 0 }) else {
            throw ValidationError("--keep-… takes a number from 0 on")
        }
    }

    func run() async throws {
        let repository = try await storeOptions.request(store).open()
        let rules = Retention(
            last: last, hourly: hourly, daily: daily, weekly: weekly, monthly: monthly, yearly: yearly)
        let (kept, removed, collected) = try await Replication.prune(
            repository, machine: machine, rules, isRehearsal: dryRun)
        switch voice.format {
        case .json:
            Console.result(
                try JSON.encode(
                    PruneReport(
                        isDryRun: dryRun, kept: kept.map { .init(point: $0.0.id, machine: $0.0.machine, rules: $0.1) },
                        removed: removed.map { .init(point: $0.id, machine: $0.machine, rules: []) },
                        collected: collected)))
        case .text:
            for (point, rules) in kept {
                Console.result("keep    \(point.machine)@\(point.id)  \(rules.joined(separator: ", "))\n")
            }
            let verb = dryRun ? "would remove" : "removed"
            for point in removed { Console.result("\(verb)  \(point.machine)@\(point.id)\n") }
            guard let collected else { return }
            Console.result(
                "\(collected.chunksRemoved) chunks removed, \(PointsText.size(collected.bytesRemoved))"
                    + (collected.chunksWaiting > 0
                        ? "; \(collected.chunksWaiting) wait for captures that go on" : "") + "\n")
        }
    }
}

private struct PruneReport: Encodable {
    struct Item: Encodable {
        var point: String
        var machine: String
        var rules: [String]
    }
    var schema = "rehost.prune/1"
    var isDryRun: Bool
    var kept: [Item]
    var removed: [Item]
    var collected: Collector.Outcome?
}
