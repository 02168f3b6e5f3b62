import Converter
import Foundation
import Guest
import Projects

/// What the command says: results to stdout, everything else to stderr.
final class Console: @unchecked Sendable {
    enum Volume {
        case quiet
        case normal
        case verbose
    }

    // RunProgress comes from several tasks at once; all state is touched with the lock held.
    private let lock = NSLock()
    private let volume: Volume
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var tenths: [String: Int] = [:]
    private var hasBar = false

    init(_ volume: Volume) { self.volume = volume }

    func show(_ progress: RunProgress) {
        guard volume != .quiet else { return }
        lock.withLock {
            switch progress {
            case .started(let phase):
                if volume == .verbose || !isTerminal { line("\(phase) …") } else { bar("\(phase) …") }
            case .part(let phase, let part, let more): show(phase, part, more.map { "  " + $0 } ?? "")
            case .finished(let phase, let seconds):
                line("\(phase): \(String(format: "%.1f", seconds)) s")
            case .note(let text): line(text)
            case .detail(let text): if volume == .verbose { line(text) }
            }
        }
    }

    /// A bar on a terminal, a line for each tenth elsewhere.
    private func show(_ phase: String, _ part: Double, _ more: String) {
        let tenth = Int(part * 10)
        if isTerminal {
            let filled = Int(part * 30)
            let cells = String(repeating: "█", count: filled) + String(repeating: "░", count: max(0, 30 - filled))
            bar("\(phase) \(cells) \(Int(part * 100)) %\(more)")
        } else if tenth > tenths[phase, default: 0] {
            tenths[phase] = tenth
            line("\(phase): \(tenth * 10) %\(more)")
        }
    }

    private func bar(_ text: String) {
        Self.error("\r\u{1B}[2K\(text)")
        hasBar = true
    }

    private func line(_ text: String) {
        if hasBar { Self.error("\r\u{1B}[2K") }
        hasBar = false
        Self.error(text + "\n")
    }

    static func findings(_ findings: [Finding]) {
        for finding in findings {
            error(PlanText.harmless("\(finding.level.rawValue): [\(finding.injector)] \(finding.message)") + "\n")
            if let hint = finding.hint { error(PlanText.harmless("hint: \(hint)") + "\n") }
        }
    }

    static func result(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
    static func result(_ data: Data) { FileHandle.standardOutput.write(data) }
    static func error(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
