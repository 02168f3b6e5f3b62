internal import Foundation
internal import Host

/// Looks at the machine's screen: reads what is written there, and keeps the pictures that say something.
struct ScreenWatch {
    struct Kept: Sendable {
        var shot: ScreenShot
        var png: [UInt8]
    }

    private(set) var kept: [Kept] = []
    /// Grows when the picture really changes: a cursor that blinks is no sign of life.
    private(set) var changes: UInt64 = 0
    private var hash: UInt64 = 0
    private var settled: Bitmap?
    private let files: MachineFiles
    private let recognition: TesseractReader
    private var current: (bitmap: Bitmap, reading: ScreenReading, name: String, time: Double)?
    private var stableSince = 0.0
    /// Pictures that optical recognition has been tried on.
    private var recognised: Set<UInt64> = []
    private var count = 0
    private var level: Level?

    /// Pixels that differ: more than a cursor of 9 by 16, less than a line of text.
    private static let changeLimit = 200.0
    /// Enough for each level and the end; a page of pictures nobody looks through.
    private static let limit = 12
    /// Optical recognition takes a second of a core: only for pictures that stay, and not too often.
    private static let recognitionLimit = 6
    private static let fonts = GlyphReader(fonts: HostFonts.load())

    init(_ files: MachineFiles) {
        self.files = files
        recognition = TesseractReader { program, arguments in
            try await Command(program, arguments, environment: ["OMP_THREAD_LIMIT": "1"]).run()
        }
    }

    /// Takes in the picture that was just taken and tells the judge what it says.
    mutating func look(into judge: inout Judge, at moment: Judge.Moment) async {
        guard let bitmap = picture() else { return }
        if settled.map({ Self.differ($0, bitmap) }) ?? true {
            settled = bitmap
            stableSince = moment.time
            changes += 1
        }
        let hash = bitmap.contentHash
        if hash != self.hash {
            // What was there when a level was reached is worth keeping.
            if judge.level != level, let current, !current.reading.lines.isEmpty {
                keep(current, caption: level.map { "at \($0.title)" } ?? "at power on")
            }
            level = judge.level
            self.hash = hash
            count += 1
            let reading = ScreenReading(bitmap: bitmap, memory: memory(), reader: Self.fonts)
            current = (bitmap, reading, "screen-\(count)", moment.time)
        }
        if moment.time - stableSince >= 4 { await recognise() }
        tell(&judge, moment)
    }

    /// The last picture of all, always kept.
    mutating func end(into judge: inout Judge, at moment: Judge.Moment) async {
        await look(into: &judge, at: moment)
        if judge.decision?.verdict != .boots { await recognise() }
        if let current { keep(current, caption: "at the end") }
    }

    private func picture() -> Bitmap? {
        guard let data = FileManager.default.contents(atPath: files.screen) else { return nil }
        return Bitmap(ppm: [UInt8](data))
    }

    private func memory() -> [UInt8]? {
        FileManager.default.contents(atPath: files.videoMemory).map { [UInt8]($0) }
    }

    private static func differ(_ one: Bitmap, _ other: Bitmap) -> Bool {
        one.width != other.width || one.height != other.height
            || one.difference(from: other) * Double(one.width * one.height) > changeLimit
    }

    private mutating func recognise() async {
        guard let seen = current, seen.reading.method == .none, recognised.count < Self.recognitionLimit,
            recognised.insert(changes).inserted
        else { return }
        current?.reading = await seen.reading.completed(by: recognition, bitmap: seen.bitmap)
    }

    private mutating func tell(_ judge: inout Judge, _ moment: Judge.Moment) {
        guard let current else { return }
        let lines = current.reading.lines
        let before = judge.evidence.count
        // Names of Windows' parts stand in GRUB's menus, and Linux has blue screens of its own.
        let isLinux = judge.speaksLinux || lines.contains { $0.contains("GNU GRUB") }
        if !isLinux,
            let failure = WindowsScreens.failure(
                lines: lines, isStopScreen: ScreenColour.isStopScreen(current.bitmap),
                isStable: moment.time - stableSince >= 4)
        {
            judge.see(failure, on: current.name, lines: lines, at: moment)
        } else if current.reading.method != .recognition {
            judge.see(screen: lines, named: current.name, at: moment)
        }
        if judge.evidence.count > before { keep(current, caption: judge.evidence.last?.what ?? "evidence") }
    }

    private mutating func keep(
        _ picture: (bitmap: Bitmap, reading: ScreenReading, name: String, time: Double), caption: String
    ) {
        if let index = kept.firstIndex(where: { $0.shot.name == picture.name }) {
            kept[index].shot.text = picture.reading.lines
            return
        }
        // The end is worth more than one in the middle.
        if kept.count >= Self.limit { kept.remove(at: Self.limit / 2) }
        guard let png = PNG.encode(picture.bitmap) else { return }
        let shot = ScreenShot(
            name: picture.name, time: picture.time, width: picture.bitmap.width, height: picture.bitmap.height,
            caption: caption, text: picture.reading.lines)
        kept.append(Kept(shot: shot, png: png))
    }
}
