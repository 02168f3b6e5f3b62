import ArgumentParser
import Converter
import Foundation
import Guest
import Projects

/// How an error is said, and the exit code that it has.
enum CommandError {
    enum Code: Int32 {
        case done = 0
        case failed = 1
        case warnings = 3
        case blocked = 4
        case unsupported = 5
        case usage = 64
        /// 128 + SIGINT, as shells have it.
        case interrupted = 130
    }

    static func exitCode(for error: any Error) -> Int32 {
        switch error {
        case let code as ExitCode: return code.rawValue
        case let refusal as Refusal:
            say("error: \(PlanText.harmless(refusal.message))\nhint: \(PlanText.harmless(refusal.hint))")
            return (refusal.kind == .blocked ? Code.blocked : Code.unsupported).rawValue
        case let blocked as BlockedPlan:
            Console.findings(blocked.plan.findings)
            say("error: nothing was changed: \(count(blocked.plan.blockers.count, "blocker"))")
            return Code.blocked.rawValue
        case let error as GuestPathError:
            say(
                "error: \(PlanText.harmless("\(error)"))\nhint: nothing was changed; mend it in the source, and"
                    + " capture it again")
            return Code.blocked.rawValue
        case let error as RegistryError:
            let hint = error.hint ?? "start the source once, shut it down cleanly, and capture it again"
            say("error: \(PlanText.harmless("\(error)"))\nhint: \(PlanText.harmless(hint))")
            return Code.blocked.rawValue
        case is CancellationError:
            say("interrupted; nothing was left behind")
            return Code.interrupted.rawValue
        default: break
        }
        // ArgumentParser's own: help, version and wrong usage.
        let code = Rehost.exitCode(for: error)
        if code == .success || code == .validationFailure || isUsage(error) {
            let text = Rehost.fullMessage(for: error)
            if !text.isEmpty { code == .success ? Console.result(text + "\n") : say(text) }
            return code == .success ? 0 : Code.usage.rawValue
        }
        say("error: " + text(of: error))
        return Code.failed.rawValue
    }

    /// What failed, with the way out where the system's own refusal says what it is.
    private static func text(of error: any Error) -> String {
        let reason = (error as? CocoaError).map(reason) ?? "\(error)"
        // Programs that ran out of room say it in the C library's words, too.
        guard reason.contains(String(cString: strerror(ENOSPC))), !reason.contains("\nhint: ") else { return reason }
        return reason + "\nhint: make room, and run it again"
    }

    /// Foundation's own words are a dump of its fields.
    private static func reason(_ error: CocoaError) -> String {
        let path = (error.filePath ?? error.url?.path).map { "'\($0)': " } ?? ""
        let cause = (error.underlying as? POSIXError).map { String(cString: strerror($0.code.rawValue)) }
        return PlanText.harmless(path + (cause ?? error.localizedDescription))
    }

    private static func isUsage(_ error: any Error) -> Bool {
        error is ValidationError || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    private static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
