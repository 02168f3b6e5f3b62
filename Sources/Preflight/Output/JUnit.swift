/// A run as JUnit XML, for CI servers: a suite for each image, a case for each level of a boot.
public enum JUnit {
    public static func render(_ report: PreflightReport) -> String {
        let suites = report.images.map(Suite.init)
        let seconds = report.images.reduce(0) { $0 + finite($1.seconds) }
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rehost preflight\""
        xml += " tests=\"\(suites.sum(\.cases.count))\" failures=\"\(suites.sum(\.failures))\""
        xml += " errors=\"\(suites.sum(\.errors))\" skipped=\"\(suites.sum(\.skipped))\" time=\"\(number(seconds))\">\n"
        for suite in suites { xml += suite.xml }
        return xml + "</testsuites>\n"
    }

    fileprivate static func finite(_ value: Double) -> Double {
        value.isFinite && value > 0 && value < 1e9 ? value : 0
    }

    /// Milliseconds are enough, and never an exponent.
    fileprivate static func number(_ value: Double) -> String {
        let thousandths = Int((finite(value) * 1000).rounded())
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    fileprivate static func escaped(_ text: String) -> String {
        GuestText.escaped(GuestText.line(text, limit: 2_000))
    }
}

/// What became of one level.
private enum Result {
    case passed
    case failed
    case error
    case skipped(String)
}

private struct Suite {
    let image: ImageReport
    let cases: [(level: Level, result: Result, time: Double)]

    var failures: Int { cases.count { if case .failed = $0.result { true } else { false } } }
    var errors: Int { cases.count { if case .error = $0.result { true } else { false } } }
    var skipped: Int { cases.count { if case .skipped = $0.result { true } else { false } } }

    init(_ image: ImageReport) {
        self.image = image
        let reached = Set(image.stages.map(\.level)).union(image.level.map { [$0] } ?? [])
        let culprit = Self.culprit(image, reached)
        let end = JUnit.finite(image.seconds)
        let last = image.stages.map { JUnit.finite($0.time) }.max() ?? 0
        var before = 0.0
        cases = Level.allCases.map { level in
            var time = 0.0
            if let stage = image.stages.first(where: { $0.level == level }) {
                // Stages can come in another order than the levels; no case takes less than no time.
                time = max(0, JUnit.finite(stage.time) - before)
                before = max(before, JUnit.finite(stage.time))
            }
            let result = Self.result(level, image, isReached: reached.contains(level), culprit)
            switch result {
            case .failed, .error: return (level, result, time + max(0, end - last))
            default: return (level, result, time)
            }
        }
    }

    private static func result(_ level: Level, _ image: ImageReport, isReached: Bool, _ culprit: Level?) -> Result {
        if level == culprit { return Outcome(image.verdict) == .unknown ? .error : .failed }
        if isReached { return .passed }
        if level == .network, image.machine.card == .none { return .skipped("no network card") }
        guard let culprit, level > culprit else { return .skipped("not seen") }
        return .skipped("not reached")
    }

    /// The level that carries the failure: the one that the verdict is about, else the first after the furthest seen.
    /// A machine that came all the way and then failed, in a reboot loop, say, fails at the furthest.
    private static func culprit(_ image: ImageReport, _ reached: Set<Level>) -> Level? {
        let wanted: Level
        switch image.verdict {
        case .boots: return nil
        case .notTested: return .firmware
        case .noNetwork: return .network
        case .noBootDevice: wanted = .bootLoader
        case .bootLoaderRescuePrompt, .bootLoaderError: wanted = .kernel
        case .initramfsShell: wanted = .rootMounted
        case .emergencyShell: wanted = .login
        default: wanted = .firmware
        }
        let furthest = reached.max()
        if !reached.contains(wanted), furthest.map({ $0 < wanted }) ?? true { return wanted }
        return Level.allCases.first { level in furthest.map { level > $0 } ?? true } ?? .login
    }

    var xml: String {
        let name = JUnit.escaped(image.image)
        var xml = "  <testsuite name=\"\(name)\" tests=\"\(cases.count)\" failures=\"\(failures)\""
        xml += " errors=\"\(errors)\" skipped=\"\(skipped)\" time=\"\(JUnit.number(image.seconds))\">\n"
        xml += properties
        for (level, result, time) in cases {
            let attributes = "name=\"\(level.title)\" classname=\"preflight.\(name)\" time=\"\(JUnit.number(time))\""
            xml += "    <testcase \(attributes)"
            switch result {
            case .passed: xml += "/>\n"
            case .skipped(let why): xml += ">\n      <skipped message=\"\(why)\"/>\n    </testcase>\n"
            case .failed: xml += ">\n\(problem("failure"))    </testcase>\n"
            case .error: xml += ">\n\(problem("error"))    </testcase>\n"
            }
        }
        let serial = image.serialTail.map(JUnit.escaped).joined(separator: "\n")
        if !serial.isEmpty { xml += "    <system-out>\(serial)\n</system-out>\n" }
        return xml + "  </testsuite>\n"
    }

    private var properties: String {
        let machine = image.machine
        var all = [("verdict", image.verdict.rawValue)]
        if let level = image.level { all.append(("level", level.rawValue)) }
        all.append(("firmware", machine.firmware.rawValue))
        all.append(("machine", machine.chipset.rawValue))
        all.append(("bus", machine.bus.rawValue))
        all.append(("card", machine.card.rawValue))
        all.append(("runner", image.runner))
        if let address = image.address { all.append(("address", address)) }
        for finding in image.findings {
            all.append((finding.level.rawValue, finding.message))
        }
        let lines = all.map { "      <property name=\"\($0.0)\" value=\"\(JUnit.escaped($0.1))\"/>\n" }
        return "    <properties>\n" + lines.joined() + "    </properties>\n"
    }

    private func problem(_ element: String) -> String {
        var lines = [image.reason]
        if let remedy = image.remedy { lines.append("What to do: \(remedy)") }
        for evidence in image.evidence {
            lines.append("[\(Wording.seconds(evidence.time))] \(evidence.source.rawValue): \(evidence.what)")
            lines += GuestText.lines(evidence.lines, count: 40).map { "    " + $0 }
        }
        let text = lines.map(JUnit.escaped).joined(separator: "\n")
        let attributes = "type=\"\(image.verdict.rawValue)\" message=\"\(JUnit.escaped(image.reason))\""
        return "      <\(element) \(attributes)>\(text)\n</\(element)>\n"
    }
}

extension [Suite] {
    fileprivate func sum(_ part: (Suite) -> Int) -> Int { reduce(0) { $0 + part($1) } }
}
