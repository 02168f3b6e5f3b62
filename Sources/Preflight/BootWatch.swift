internal import Foundation

/// Watches a running machine by all its layers of evidence and tells the judge, until there is a verdict.
struct BootWatch {
    private let test: BootTest
    private let running: any RunningMachine
    private var judge: Judge
    private var clock = StillnessClock()
    private var signs = StillnessClock.Signs()
    private var serial = SerialWatch()
    private var screen: ScreenWatch
    private var network: NetworkLayer?
    private var agent: AgentClient?
    private var agentFacts: AgentFacts?
    private let began = ContinuousClock.now
    private var now = Judge.Moment(time: 0, cpu: 0)
    private var nextSlowLook = 0.0
    private var nextPicture = 1.0

    /// Of what the guest makes this host write beside its overlays, in bytes.
    private static let writtenLimit = 256 << 20
    private static let interval = Duration.milliseconds(200)

    init(_ test: BootTest, _ running: any RunningMachine) {
        self.test = test
        self.running = running
        var expectation = Judge.Expectation()
        expectation.hasNetwork = test.machine.card != .none
        expectation.hasWitness = test.hasWitness
        expectation.budget = test.budget
        expectation.isUEFI = test.machine.firmware == .uefi
        expectation.obstacle = DiskStart(test.diskStart).obstacle(on: test.machine)
        judge = Judge(expectation)
        serial.files = running.files
        screen = ScreenWatch(running.files)
        if test.machine.card != .none { network = NetworkLayer(test.machine, running.files) }
    }

    mutating func run(_ progress: @Sendable (BootTest.Progress) -> Void) async throws {
        var level: Level?
        var resets = 0
        while judge.decision == nil {
            try await Task.sleep(for: Self.interval)
            await look()
            judge.pass(now, clock.still)
            if judge.level != level, let reached = judge.level {
                if reached >= .kernel, level ?? .firmware < .kernel { network?.systemStarts() }
                level = reached
                progress(.reached(reached, seconds: now.time))
            }
            if judge.resets != resets {
                resets = judge.resets
                level = nil
                network?.restart()
                agent = nil
                agentFacts = nil
                progress(.restarted)
            }
        }
        // A signal that ends us ends QEMU, too, and that is no verdict.
        try Task.checkCancellation()
        await lastLook()
    }

    private mutating func look() async {
        let elapsed = began.duration(to: .now)
        // Milliseconds: the looks are hundreds of them apart.
        now.time = (elapsed / .milliseconds(1)).rounded() / 1000
        now.cpu = await running.cpuSeconds()
        serial.read(into: &judge, at: now)
        signs.serialBytes = serial.count
        network?.read(at: now.time)
        if let network {
            judge.see(network: network.summary, at: now)
            signs.frames = network.frames
        }
        for event in running.takeEvents() {
            if event == .agentConnected, agent == nil { agent = AgentClient(path: running.files.agent) }
            judge.see(event: event, at: now)
        }
        if now.time >= nextSlowLook {
            nextSlowLook = now.time + 1
            let activity = await running.diskActivity()
            signs.diskOperations = activity.operations
            clock.still.bytesRead = activity.bytesRead
            if running.files.written > Self.writtenLimit {
                judge.see(event: .broken("the guest writes without end to its ports or its network"), at: now)
            }
            if agentFacts == nil, let facts = await agent?.ask() {
                agentFacts = facts
                judge.see(agent: facts, at: now)
            }
        }
        if now.time >= nextPicture, judge.decision == nil {
            // Where the serial port tells the story, a picture now and then is enough.
            nextPicture = now.time + (serial.tellsKernel ? 5 : 1.5)
            if await running.takePicture() { await screen.look(into: &judge, at: now) }
            signs.picture = screen.changes
        }
        clock.tick(signs, level: judge.level, waited: await running.waitedSeconds(), at: now)
    }

    /// The last picture, and what came since.
    private mutating func lastLook() async {
        if await running.takePicture() { await screen.end(into: &judge, at: now) }
        network?.read(at: now.time)
        if agentFacts == nil { agentFacts = await agent?.ask() }
    }

    func finish() async -> (report: ImageReport, artifacts: BootArtifacts) {
        let decision = judge.decision
        var report = ImageReport(
            image: test.image, disks: test.disks, machine: test.machine, runner: running.runner,
            verdict: decision?.verdict ?? .notTested, reason: decision?.reason ?? "there was no verdict")
        report.remedy = decision?.remedy
        report.level = decision?.verdict == .boots ? judge.level : judge.furthest
        report.stages = judge.stages
        report.evidence = judge.evidence
        report.witness = judge.witnessFacts
        report.agent = agentFacts
        report.network = network?.facts
        report.screens = screen.kept.map(\.shot)
        report.serialTail = serial.tail
        report.seconds = (now.time * 10).rounded() / 10
        report.cpuSeconds = (now.cpu * 10).rounded() / 10
        report.findings = Findings.collect(report, hasWitness: test.hasWitness)
        var artifacts = BootArtifacts()
        artifacts.serial = Self.content(running.files.serial)
        artifacts.packets = Self.content(running.files.packets)
        for kept in screen.kept { artifacts.pictures[kept.shot.name] = kept.png }
        return (report, artifacts)
    }

    /// Up to the limits that the watches have, too.
    private static func content(_ path: String) -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? handle.close() }
        return Array((try? handle.read(upToCount: 64 << 20)) ?? Data())
    }
}

/// The serial ports and the firmware's own messages.
struct SerialWatch {
    var files: MachineFiles? {
        didSet {
            guard let files else { return }
            console = GrowingFile(files.serial)
            witness = GrowingFile(files.witness, limit: 4 << 20)
            firmware = GrowingFile(files.firmware, limit: 4 << 20)
        }
    }
    private var console: GrowingFile?
    private var witness: GrowingFile?
    private var firmware: GrowingFile?
    private var consoleText = ConsoleText()
    private var witnessText = ConsoleText()
    private var firmwareText = ConsoleText()
    private(set) var count = 0
    /// The kernel speaks here.
    private(set) var tellsKernel = false

    /// The last lines, the one without an end too.
    var tail: [String] {
        let lines = consoleText.tail.suffix(200)
        return consoleText.partial.isEmpty ? Array(lines) : lines + [consoleText.partial]
    }

    mutating func read(into judge: inout Judge, at moment: Judge.Moment) {
        let spoken = firmware?.next() ?? []
        if !spoken.isEmpty {
            judge.see(lines: firmwareText.feed(spoken), partial: firmwareText.partial, from: .firmware, at: moment)
        }
        let bytes = console?.next() ?? []
        let clock = Date().timeIntervalSince1970
        if !bytes.isEmpty {
            let lines = consoleText.feed(bytes)
            for line in lines { judge.see(witness: line, now: clock, at: moment) }
            if !tellsKernel { tellsKernel = lines.contains { $0.contains("Linux version ") } }
            judge.see(lines: lines, partial: consoleText.partial, from: .serial, at: moment)
        }
        let reported = witness?.next() ?? []
        if !reported.isEmpty {
            for line in witnessText.feed(reported) { judge.see(witness: line, now: clock, at: moment) }
        }
        count += spoken.count + bytes.count + reported.count
    }
}
