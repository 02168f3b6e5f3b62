/// What became of one image. Fields are only ever added.
public struct ImageReport: Sendable, Codable {
    /// The first disk's file.
    public var image: String
    /// All disks of the machine, in its order.
    public var disks: [String]
    public var machine: Machine
    /// What ran the machine: "qemu with kvm", "qemu with tcg", "libvirt qemu:///system".
    public var runner: String
    public var verdict: Verdict
    /// The furthest level that was seen; nil where nothing was.
    public var level: Level?
    /// One sentence: why this verdict.
    public var reason: String
    /// What to do about a failure.
    public var remedy: String?
    public var findings: [PreflightFinding]
    public var evidence: [Evidence]
    /// When each level was first seen, in order of time.
    public var stages: [Stage]
    public var network: NetworkFacts?
    public var witness: WitnessFacts?
    public var agent: AgentFacts?
    public var screens: [ScreenShot]
    /// The last lines of the serial port, without control characters.
    public var serialTail: [String]
    /// From power on to the verdict, by the clock.
    public var seconds: Double
    /// Processor time that the machine used.
    public var cpuSeconds: Double
    /// What came before power on, in seconds: "check the image", "lay the witness".
    public var preparation: [String: Double]

    public init(image: String, disks: [String], machine: Machine, runner: String, verdict: Verdict, reason: String) {
        self.image = image
        self.disks = disks
        self.machine = machine
        self.runner = runner
        self.verdict = verdict
        self.reason = reason
        findings = []
        evidence = []
        stages = []
        screens = []
        serialTail = []
        seconds = 0
        cpuSeconds = 0
        preparation = [:]
    }
}

/// Something worth knowing that doesn't decide the verdict.
public struct PreflightFinding: Sendable, Codable, Equatable {
    public enum Level: String, Sendable, Codable {
        case note
        case warning
    }

    public var level: Level
    public var message: String
    public var hint: String?

    public init(_ level: Level, _ message: String, hint: String? = nil) {
        self.level = level
        self.message = message
        self.hint = hint
    }
}

/// Lines or a picture that say something.
public struct Evidence: Sendable, Codable, Equatable {
    public enum Source: String, Sendable, Codable {
        case firmware
        case serial
        case screen
        case network
        case witness
        case agent
        /// The machine itself: resets, disk reads, its end.
        case machine
        /// What is on the disk, read before the boot.
        case disk
    }

    public var source: Source
    /// Seconds since power on.
    public var time: Double
    /// What it shows, in a few words.
    public var what: String
    /// Word for word, without control characters.
    public var lines: [String]
    /// The name of a screen among `screens`.
    public var screen: String?

    public init(_ source: Source, time: Double, what: String, lines: [String] = [], screen: String? = nil) {
        self.source = source
        self.time = time
        self.what = what
        self.lines = lines
        self.screen = screen
    }
}

/// A level, and when and by what it was first seen.
public struct Stage: Sendable, Codable, Equatable {
    public var level: Level
    /// Seconds since power on.
    public var time: Double
    public var source: Evidence.Source
    /// The line, or fact, that showed it.
    public var sign: String

    public init(_ level: Level, time: Double, source: Evidence.Source, sign: String) {
        self.level = level
        self.time = time
        self.source = source
        self.sign = sign
    }
}

/// A picture of the screen. The picture itself is in ``BootArtifacts``.
public struct ScreenShot: Sendable, Codable, Equatable {
    /// "screen-1", in order of time.
    public var name: String
    /// Seconds since power on.
    public var time: Double
    public var width: Int
    public var height: Int
    /// What it shows, in a few words: "before the kernel", "the end".
    public var caption: String
    /// The text on it, where it could be read.
    public var text: [String]

    public init(name: String, time: Double, width: Int, height: Int, caption: String, text: [String]) {
        self.name = name
        self.time = time
        self.width = width
        self.height = height
        self.caption = caption
        self.text = text
    }
}

/// What is too big for the report: kept beside it, or inside the HTML page.
public struct BootArtifacts: Sendable {
    /// The whole of the serial port, as it came.
    public var serial: [UInt8] = []
    /// PNG files, by the screen's name.
    public var pictures: [String: [UInt8]] = [:]
    /// A pcap file.
    public var packets: [UInt8] = []

    public init() {}
}

/// A run over several images.
public struct PreflightReport: Sendable, Codable {
    public var schema = "rehost.preflight/1"
    public var images: [ImageReport]

    public init(images: [ImageReport]) { self.images = images }
}
