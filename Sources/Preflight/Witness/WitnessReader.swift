internal import Foundation

/// Puts the witness's lines together. A guest can send anything: what doesn't fit is dropped.
struct WitnessReader {
    private(set) var facts = WitnessFacts()
    /// Whether the witness has begun: user space runs.
    private(set) var hasBegun = false

    private static let listLimit = 64
    private static let textLimit = 300

    /// - Parameters:
    ///   - line: one line of a serial port.
    ///   - now: this host's clock, in seconds since 1970.
    mutating func read(_ line: String, now: Double) {
        guard let start = line.range(of: WitnessScript.mark + " ") else { return }
        let words = line[start.upperBound...].split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let key = words.first else { return }
        let value = String((words.count > 1 ? words[1] : "").prefix(Self.textLimit))
        if key == "begin" {
            // The guest was reset and starts anew.
            self = WitnessReader()
            hasBegun = true
        }
        guard hasBegun, !facts.isComplete else { return }
        take(String(key), value, now)
    }

    private mutating func take(_ key: String, _ value: String, _ now: Double) {
        switch key {
        case "firmware": facts.firmware = value
        case "kernel": facts.kernel = value
        case "system": facts.system = value
        case "host": facts.hostName = value
        case "state": facts.state = value
        case "root_device": facts.rootDevice = value
        case "root_fs": facts.rootFileSystem = value
        case "root_driver": facts.rootDriver = value
        case "root_ro": facts.rootIsReadOnly = value == "yes"
        case "root_serial": facts.rootDisk = Self.disk(value)
        case "card": if let card = Self.card(value) { Self.append(card, to: &facts.cards) }
        case "routes": facts.defaultRoutes = Self.list(value)
        case "dns": facts.nameServers = Self.list(value)
        case "missing": Self.append(value, to: &facts.missingMounts)
        case "job": Self.append(value, to: &facts.runningJobs)
        case "failed": Self.append(value, to: &facts.failedUnits)
        case "boot_time": facts.bootTime = value
        case "login": facts.hasLogin = value == "yes"
        case "tool":
            let words = value.split(separator: " ").map(String.init)
            if let name = words.first, facts.tools.count < Self.listLimit {
                facts.tools[name] = words.dropFirst().joined(separator: ", ")
            }
        case "error": Self.append(value, to: &facts.errors)
        case "clock": facts.clockOffset = Self.number(value).map { ($0 - now).rounded() }
        case "end":
            facts.upTime = Self.number(value) ?? 0
            facts.isComplete = true
        default: break
        }
    }

    /// JSON has no infinity, and an integer an end.
    private static func number(_ text: String) -> Double? { Double(text).flatMap { abs($0) < 1e12 ? $0 : nil } }

    /// "rehost-disk0", possibly behind a vendor's name.
    private static func disk(_ serial: String) -> Int? {
        guard let range = serial.range(of: "rehost-disk", options: .backwards) else { return nil }
        return Int(serial[range.upperBound...]).flatMap { (0..<256).contains($0) ? $0 : nil }
    }

    /// "ens3 virtio_net 52:54:00:12:34:56 up yes 10.0.2.15/24,fec0::1/64"
    private static func card(_ value: String) -> WitnessFacts.Card? {
        let words = value.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 5 else { return nil }
        return WitnessFacts.Card(
            name: words[0], driver: words[1], mac: words[2], state: words[3],
            addresses: words.count > 5 ? list(words[5]) : [], isDynamic: words[4] == "yes")
    }

    private static func list(_ value: String) -> [String] {
        Array(value.split(separator: ",").prefix(listLimit).map(String.init))
    }

    private static func append<Element>(_ element: Element, to list: inout [Element]) {
        if list.count < listLimit { list.append(element) }
    }
}
