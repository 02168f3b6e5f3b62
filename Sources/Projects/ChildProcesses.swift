internal import Foundation

/// The programs that this process has started.
public enum ChildProcesses {
    /// Asks each to end. Their parents' reads and waits then return.
    public static func terminate() {
        let own = ProcessInfo.processInfo.processIdentifier
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = pid_t(name), parent(of: process) == own else { continue }
            kill(process, SIGTERM)
        }
    }

    /// The fourth field of /proc/PID/stat, behind the name in parentheses, which may hold anything (proc(5)).
    private static func parent(of process: pid_t) -> pid_t? {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }
}
