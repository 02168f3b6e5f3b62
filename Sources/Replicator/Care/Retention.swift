internal import Foundation

/// Which recovery points of a machine stay.
public struct Retention: Equatable, Sendable {
    public var last: Int
    public var hourly: Int
    public var daily: Int
    public var weekly: Int
    public var monthly: Int
    public var yearly: Int

    public init(last: Int = 0, hourly: Int = 0, daily: Int = 0, weekly: Int = 0, monthly: Int = 0, yearly: Int = 0) {
        self.last = last
        self.hourly = hourly
        self.daily = daily
        self.weekly = weekly
        self.monthly = monthly
        self.yearly = yearly
    }

    public var isEmpty: Bool { self == Retention() }

    /// - Parameters:
    ///   - points: of one machine.
    ///   - isGood: whether a point is known to be whole; the newest that is stays whatever the rules say.
    /// - Returns: the points that stay, each with the rules that keep it, oldest first.
    public func kept(_ points: [RecoveryPoint], isGood: (RecoveryPoint) -> Bool = { _ in true }) -> [(
        RecoveryPoint, [String]
    )] {
        let newestFirst = points.sorted { ($0.time, $0.id) > ($1.time, $1.id) }
        var reasons: [String: [String]] = [:]
        for point in newestFirst.prefix(last) { reasons[point.id, default: []].append("last") }
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        let rules: [(String, Int, Set<Calendar.Component>)] = [
            ("hourly", hourly, [.year, .month, .day, .hour]), ("daily", daily, [.year, .month, .day]),
            ("weekly", weekly, [.yearForWeekOfYear, .weekOfYear]), ("monthly", monthly, [.year, .month]),
            ("yearly", yearly, [.year]),
        ]
        for (name, count, components) in rules {
            var seen: Set<DateComponents> = []
            for point in newestFirst {
                // The newest of each period.
                guard seen.insert(calendar.dateComponents(components, from: point.time)).inserted else { continue }
                if seen.count > count { break }
                reasons[point.id, default: []].append(name)
            }
        }
        if let good = newestFirst.first(where: isGood), reasons[good.id] == nil {
            reasons[good.id] = ["newest good one"]
        }
        return newestFirst.reversed().compactMap { point in reasons[point.id].map { (point, $0) } }
    }
}

extension Repository {
    /// Takes a point away; its chunks go with the next collection.
    public func remove(_ point: RecoveryPoint) async throws {
        // The record first: without it the point isn't one, and the manifests are nobody's.
        try await store.remove(point.object)
        for disk in point.disks { try await store.remove(disk.manifest) }
        try await removeHistory(of: point)
    }
}
