internal import Foundation

/// Turns what is seen of a boot into levels and, when it is sure, a verdict. It has no clock and no machine: what it is told
/// decides, so that a recorded boot gives the same verdict as a live one.
struct Judge {
    /// When something was seen.
    struct Moment: Equatable, Sendable {
        /// Seconds since power on.
        var time: Double
        /// Processor time that the machine had used.
        var cpu: Double
    }

    struct Decision: Equatable, Sendable {
        var verdict: Verdict
        var reason: String
        var remedy: String?
    }

    /// What a run expects; the rest is told by the boot itself.
    struct Expectation: Sendable {
        /// The machine has a network card.
        var hasNetwork = true
        /// A witness was laid: the verdict waits for it, within reason.
        var hasWitness = false
        /// Processor seconds that a boot may take without getting further.
        var budget = 900.0
        /// UEFI with nothing but the fallback path, or the entry that was given.
        var isUEFI = false
        /// Why the boot disk can't start on this machine, told from its first sectors.
        var obstacle: (reason: String, remedy: String)?
    }

    let expectation: Expectation
    /// Of this start; a reset begins anew.
    private(set) var level: Level?
    /// Of all starts.
    private(set) var furthest: Level?
    private(set) var stages: [Stage] = []
    private(set) var evidence: [Evidence] = []
    private(set) var resets = 0
    private var lastReset = Moment(time: -10, cpu: -10)
    /// When the last level, or the last sign of life, was seen.
    private var lastLevel = Moment(time: 0, cpu: 0)
    private var candidate: (failure: Failure, at: Moment, level: Level?)?
    private var witness = WitnessReader()
    private var network = NetworkSummary()
    private var loginAt: Moment?
    private var witnessAt: Moment?
    private var witnessBeganAt: Moment?
    private var hasAgent = false
    private var runningJob: String?
    /// The boot loader's menu is there, as the serial port and the screen have it.
    private var hasMenu = false
    private var isMenuOnScreen = true
    private var isHandedOver = false
    private var isInInitramfs = false
    private var lastLines: [String] = []
    var decision: Decision?

    init(_ expectation: Expectation) { self.expectation = expectation }

    var witnessFacts: WitnessFacts? { witness.hasBegun ? witness.facts : nil }

    /// A kernel or a system was heard that isn't Windows.
    var speaksLinux: Bool {
        stages.contains { ($0.level == .kernel || $0.level == .userSpace) && $0.source != .agent }
    }

    // MARK: - What is seen

    /// Lines that a serial port or the firmware has ended, and the line that it is at.
    mutating func see(lines: [String], partial: String, from source: Evidence.Source, at moment: Moment) {
        for line in lines { see(line, isPrompt: false, source, moment) }
        if !partial.isEmpty { see(partial, isPrompt: true, source, moment) }
    }

    /// The text on the screen as it is now.
    mutating func see(screen lines: [String], named name: String, at moment: Moment) {
        let last = lines.last { !$0.isEmpty }
        let menu = lines.contains { $0.contains("GNU GRUB") }
        isMenuOnScreen = menu && !lines.contains { $0.contains("executed automatically") }
        if menu, level ?? .firmware <= .bootLoader { hasMenu = true }
        for line in lines { see(line, isPrompt: line == last, .screen, moment, screen: name, screenLines: lines) }
    }

    /// A screen that looks like Windows' own failures.
    mutating func see(_ failure: Failure, on screen: String, lines: [String], at moment: Moment) {
        guard accuse(failure, moment) else { return }
        record(
            Evidence(.screen, time: moment.time, what: failure.reason, lines: Array(lines.prefix(20)), screen: screen))
    }

    mutating func see(witness line: String, now: Double, at moment: Moment) {
        let had = witness.hasBegun
        witness.read(line, now: now)
        if witness.hasBegun, !had {
            witnessBeganAt = moment
            reach(.userSpace, moment, .witness, "the witness runs")
        }
        if witness.facts.isComplete, witnessAt == nil {
            witnessAt = moment
            if witness.facts.hasLogin, witness.facts.state != "maintenance" {
                reach(.login, moment, .witness, "a console asks for a login")
                loginAt = loginAt ?? moment
            }
        }
    }

    mutating func see(network summary: NetworkSummary, at moment: Moment) {
        network = summary
        if let sign = summary.sign { reach(.network, moment, .network, sign) }
    }

    mutating func see(agent facts: AgentFacts, at moment: Moment) {
        hasAgent = true
        reach(.userSpace, moment, .agent, "the guest agent answers")
    }

    mutating func see(event: MachineEvent, at moment: Moment) {
        switch event {
        case .reset:
            // SeaBIOS resets once more by itself: one reset of the guest's is told up to three times within half a second,
            // which a busy host may stretch.
            if moment.time - lastReset.time >= 1, moment.cpu - lastReset.cpu >= 0.5 { restart(moment) }
        case .poweredOff:
            decide(.powersOff, "the guest switched itself off before it was up", Remedies.powersOff)
        case .broken(let why):
            decide(
                .notTested, "the test ended early: \(why)", "is the image complete, and is there room for its overlay?")
        case .panicked:
            accuse(
                Failure(.kernelPanic, "the guest's kernel reported a panic", remedy: Remedies.panic, settle: 5), moment)
        case .agentConnected: break
        }
    }

    private mutating func see(
        _ line: String, isPrompt: Bool, _ source: Evidence.Source, _ moment: Moment, screen: String? = nil,
        screenLines: [String]? = nil
    ) {
        if !isPrompt, Signs.isOfInitramfs(line) { isInInitramfs = true }
        if let level = Signs.level(of: line, isComplete: !isPrompt) {
            if level == .rootMounted || Signs.isWelcome(line) { isInInitramfs = false }
            // systemd reaches its targets in an initramfs, too.
            if level != .userSpace || !isInInitramfs { reach(level, moment, source, line) }
        }
        if Signs.isLoginPrompt(line) {
            reach(.login, moment, source, line)
            loginAt = loginAt ?? moment
        }
        if let job = Self.job(in: line) { runningJob = job }
        if source != .screen {
            if line.contains("GNU GRUB"), level ?? .firmware <= .bootLoader { hasMenu = true }
            if Signs.isHandover(line) {
                hasMenu = false
                isHandedOver = true
                // It complained, and goes on all the same.
                if candidate?.failure.isOfBootLoader == true { candidate = nil }
            }
        }
        if !isPrompt, source == .serial { remember(line) }
        guard let failure = Signs.failure(in: line, isPrompt: isPrompt, level: level) else { return }
        // A screen keeps old words, and programs of the system say "error: ", too.
        if failure.isOfBootLoader, isHandedOver && source == .screen || level ?? .firmware > .bootLoader { return }
        if let implied = failure.verdict.impliedLevel { reach(implied, moment, source, line) }
        if accuse(failure, moment) {
            let context = screenLines.map { Array($0.suffix(16)) } ?? (source == .serial ? explained(line) : [line])
            record(Evidence(source, time: moment.time, what: failure.reason, lines: context, screen: screen))
        }
    }

    // MARK: - Levels and failures

    private mutating func reach(_ reached: Level, _ moment: Moment, _ source: Evidence.Source, _ sign: String) {
        guard !stages.contains(where: { $0.level == reached }) else { return }
        // Late words about an early stage (a screen that still shows them) are no stage of their own.
        if let level, reached < level, source == .screen { return }
        stages.append(Stage(reached, time: moment.time, source: source, sign: String(sign.prefix(160))))
        if level.map({ reached > $0 }) ?? true {
            level = reached
            furthest = max(furthest ?? reached, reached)
            lastLevel = moment
            if let candidate, !candidate.failure.isFinal, reached > candidate.level ?? .firmware {
                self.candidate = nil
            }
        }
    }

    @discardableResult
    private mutating func accuse(_ failure: Failure, _ moment: Moment) -> Bool {
        if let candidate, candidate.failure.isFinal || !failure.isFinal { return false }
        candidate = (failure, moment, level)
        return true
    }

    /// The guest starts from the beginning.
    private mutating func restart(_ moment: Moment) {
        resets += 1
        lastReset = moment
        let place = level.map { "at \($0.title)" } ?? "before any sign"
        record(
            Evidence(
                .machine, time: moment.time, what: "reset \(resets), \(place)", lines: Array(lastLines.suffix(4))))
        if let candidate, candidate.failure.isFinal {
            conclude(candidate.failure)
        } else if resets >= 3 {
            decide(.rebootLoop, "the guest reset itself \(resets) times, \(place)", Remedies.rebootLoop)
        }
        // What the last start reached, it has lost: an address, too.
        if decision == nil {
            stages = []
            level = nil
        }
        network = NetworkSummary()
        lastLines = []
        runningJob = nil
        hasAgent = false
        candidate = nil
        loginAt = nil
        witness = WitnessReader()
        witnessAt = nil
        witnessBeganAt = nil
        lastLevel = moment
        hasMenu = false
        isHandedOver = false
        isInInitramfs = false
    }

    private mutating func remember(_ line: String) {
        lastLines.append(line)
        if lastLines.count > 80 { lastLines.removeFirst(lastLines.count - 80) }
    }

    /// The decisive line with what led to it.
    private func explained(_ line: String) -> [String] {
        let led = lastLines.dropLast(lastLines.last == line ? 1 : 0).suffix(60)
            .filter { candidate in Signs.causes.contains { candidate.contains($0) } }.suffix(10)
        return led + [line]
    }

    private mutating func record(_ item: Evidence) { if evidence.count < 100 { evidence.append(item) } }

    private mutating func decide(_ verdict: Verdict, _ reason: String, _ remedy: String?) {
        guard decision == nil else { return }
        decision = Decision(verdict: verdict, reason: reason, remedy: remedy)
        switch verdict {
        case .boots:
            for stage in stages where stage.level >= .userSpace {
                record(Evidence(stage.source, time: stage.time, what: stage.level.title, lines: [stage.sign]))
            }
        case .noNetwork: record(Evidence(.network, time: lastLevel.time, what: reason))
        default:
            if !lastLines.isEmpty, !evidence.contains(where: { !$0.lines.isEmpty }) {
                record(
                    Evidence(
                        .serial, time: lastLevel.time, what: "the last lines", lines: Array(lastLines.suffix(8))))
            }
        }
    }

    /// What the firmware says is general; the disk's first sectors may know better.
    private mutating func conclude(_ failure: Failure) {
        if failure.verdict == .noBootDevice, let obstacle = expectation.obstacle {
            record(Evidence(.disk, time: 0, what: obstacle.reason))
            return decide(.noBootDevice, obstacle.reason, obstacle.remedy)
        }
        let isFallbackMissing = failure.verdict == .noBootDevice && expectation.isUEFI
        decide(failure.verdict, failure.reason, isFallbackMissing ? Remedies.noFallback : failure.remedy)
    }

    /// "A start job is running for /dev/disk/by-uuid/… (12s / 1min 30s)": systemd tells what it waits for.
    private static func job(in line: String) -> String? {
        guard let range = line.range(of: "A start job is running for ") else { return nil }
        return String(line[range.upperBound...].prefix(100))
    }
}

extension Judge {
    /// How still a machine is, counted by whoever watches it.
    struct Stillness: Sendable {
        /// Processor seconds since anything was seen to happen: text, a picture, a disk, a packet.
        var busy = 0.0
        /// Seconds in which nothing happened and the processor rested.
        var idle = 0.0
        /// Seconds of rest since the last level, whatever else happened.
        var idleSinceLevel = 0.0
        /// What was read from the disks in all.
        var bytesRead = 0
    }

    /// More than a boot loader with all its modules, less than a kernel: what was read has been started.
    private static let loadedBytes = 8 << 20

    /// Called a few times a second: decides what time decides.
    mutating func pass(_ moment: Moment, _ still: Stillness) {
        guard decision == nil else { return }
        if let candidate {
            let elapsed = moment.time - candidate.at.time
            if elapsed >= candidate.failure.settle, isHeard(candidate.failure, moment, since: candidate.at, still) {
                conclude(candidate.failure)
            }
            return
        }
        if isUp(moment, still) { return }
        judgeStillness(moment, still)
    }

    /// Whether a failure's story is complete: the witness may still be collecting it.
    private func isHeard(
        _ failure: Failure, _ moment: Moment, since: Moment, _ still: Stillness
    ) -> Bool {
        if !failure.isFinal {
            // A boot loader that goes on, reads its disk or computes; GRUB waits for a key with a busy processor.
            return moment.cpu - since.cpu >= failure.settle / 2 || still.idle >= failure.settle / 2
        }
        guard failure.verdict == .emergencyShell, witnessBeganAt != nil, witnessAt == nil else { return true }
        return moment.cpu - since.cpu > 60 || still.idle > 40
    }

    /// - Returns: whether the system is up, and only its network is waited for.
    private mutating func isUp(_ moment: Moment, _ still: Stillness) -> Bool {
        let hasNetwork =
            !expectation.hasNetwork || level ?? .firmware >= .network && stages.contains { $0.level == .network }
        if let witnessAt, witness.facts.isComplete, !["stopping", "starting"].contains(witness.facts.state) {
            // A guest that has nothing to say on the network may still hold the address that it was given.
            if !hasNetwork, let lease = network.lease,
                witness.facts.cards.contains(where: { $0.addresses.contains { $0.hasPrefix(lease + "/") } })
            {
                reach(.network, moment, .witness, "the guest holds its lease, \(lease)")
                return isUp(moment, still)
            }
            if witness.facts.state == "maintenance" {
                decide(.emergencyShell, "the system stopped in emergency mode", Remedies.emergency)
                return true
            }
            // An initramfs may have taken the lease, and the system not have kept it.
            let holdsNothing = network.isLeaseOnly && witness.facts.cards.allSatisfy(\.addresses.isEmpty)
            if hasNetwork, !holdsNothing {
                decide(.boots, "the system is up and says so itself", nil)
            } else if moment.time - witnessAt.time >= 3, moment.cpu - witnessAt.cpu >= 12 || still.idle >= 6 {
                decide(.noNetwork, network.problem, network.remedy)
            }
            return true
        }
        if let loginAt {
            // The witness is seconds behind the prompt, unless something in it, or it, doesn't run.
            let patience = expectation.hasWitness ? (cpu: 90.0, idle: 60.0) : (cpu: 0.0, idle: 0.0)
            let isOver = moment.cpu - loginAt.cpu >= patience.cpu || still.idleSinceLevel >= patience.idle
            if hasNetwork, isOver {
                decide(.boots, "it came up to a login prompt", nil)
            } else if moment.cpu - loginAt.cpu >= max(patience.cpu, 30)
                || still.idleSinceLevel >= max(patience.idle, 25)
            {
                decide(.noNetwork, network.problem, network.remedy)
            }
            return true
        }
        // No prompt to be seen. A lease alone is no proof: a system that hangs in the middle of its boot has one, too.
        if hasNetwork, expectation.hasNetwork, hasAgent || network.isWindows, witnessBeganAt == nil {
            if still.idleSinceLevel >= 20 || moment.cpu - lastLevel.cpu >= 60 {
                decide(.boots, "it came up and took its address; no login prompt was to be seen", nil)
                return true
            }
        }
        return false
    }

    /// Seconds of processor time, and of rest, in which nothing may be seen. A kernel that was told to be quiet unpacks
    /// itself and its initramfs without a sign, some 20 s under emulation; systemd gives a device 90 s.
    private static func patience(_ stage: Level, hasLoaded: Bool) -> (busy: Double, idle: Double) {
        if hasLoaded || stage > .bootLoader { return (90, 120) }
        return stage == .firmware ? (20, 15) : (60, 30)
    }

    private mutating func judgeStillness(_ moment: Moment, _ still: Stillness) {
        let stage = level ?? .firmware
        if let obstacle = expectation.obstacle, stage < .bootLoader, still.busy >= 4 || still.idle >= 4 {
            record(Evidence(.disk, time: 0, what: obstacle.reason))
            return decide(.noBootDevice, obstacle.reason, obstacle.remedy)
        }
        let place = level.map { "after: \($0.title)" } ?? "at power on"
        if still.idle >= 60, let job = witness.facts.runningJobs.first, !witness.facts.isComplete {
            let jobs = witness.facts.runningJobs.joined(separator: ", ")
            record(Evidence(.witness, time: moment.time, what: "units that are still being started", lines: [jobs]))
            return decide(.hang, "the boot waits for a unit: \(job)", Remedies.job)
        }
        let limit = Self.patience(stage, hasLoaded: isHandedOver || still.bytesRead >= Self.loadedBytes)
        if hasMenu, isMenuOnScreen, stage <= .bootLoader, still.busy >= 15 || still.idle >= 15 {
            decide(.hang, "the boot loader's menu waits for a key", Remedies.menu)
        } else if still.busy >= limit.busy {
            decide(
                .hang, "it computes without doing anything that can be seen, \(place)", Remedies.hang)
        } else if still.idle >= limit.idle {
            decide(.hang, "it stands still, \(place)", Remedies.hang)
        } else if still.idleSinceLevel >= 200 {
            if let runningJob {
                decide(.hang, "the boot waits for a unit: \(runningJob)", Remedies.job)
            } else if stages.contains(where: { $0.level == .network }) {
                decide(
                    .hang, "it took its address, and neither a login prompt nor a witness was to be seen",
                    Remedies.unseen)
            } else {
                decide(.hang, "it gets no further, \(place)", Remedies.hang)
            }
        } else if moment.cpu - lastLevel.cpu >= expectation.budget {
            decide(
                .hang, "it is busy and gets no further, \(place), in \(Int(expectation.budget)) s of processor time",
                "see the last lines; a longer --budget lets it go on")
        }
    }
}

/// What the network watch makes of the packets so far.
struct NetworkSummary: Equatable, Sendable {
    /// Why the network works; nil while it doesn't.
    var sign: String?
    /// The sign is a lease alone: nothing was sent from it.
    var isLeaseOnly = false
    /// The address that DHCP gave.
    var lease: String?
    /// Whether Windows itself asked for an address: its DHCP client names its maker.
    var isWindows = false
    var problem = "the guest sent nothing"
    var remedy: String?
}
