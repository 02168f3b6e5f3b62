internal import Foundation
internal import Glibc
internal import Host
internal import Libvirt
internal import Synchronization

/// A guest whose file systems are held still. A guest that is left so can't write any more, so three see to it that it isn't:
/// whoever asked for it, a clock, and, should this process be killed, a command that is left behind.
final class Freeze: Sendable {
    private struct State {
        /// Or may be yet: an agent that didn't answer in time may do it later.
        var isFrozen = false
        var warnings: [String] = []
        var held = false
    }

    /// In seconds. Windows thaws by itself after ten.
    private static let limit = 10.0
    /// Of thawing, a second apart.
    private static let attempts = 60

    private let domain: DomainHandle
    private let state = Mutex(State())
    private let will: LastWill?

    /// Never fails: what it can't do, ``end()`` tells.
    /// - Parameter uri: libvirt's.
    init(_ domain: DomainHandle, uri: String) {
        self.domain = domain
        do {
            will = try LastWill(Command("virsh", ["--quiet", "--connect", uri, "domfsthaw", domain.name]))
        } catch {
            will = nil
            state.withLock {
                $0.warnings.append(
                    "the guest wasn't frozen: what would thaw it should this be killed can't be started (\(error)); its disks"
                        + " are as after a power cut (virsh: apt install libvirt-clients)")
            }
            return
        }
        do {
            let count = try domain.freeze()
            state.withLock {
                $0.isFrozen = true
                $0.held = count > 0
                if count == 0 {
                    $0.warnings.append("the guest's agent froze no file system; its disks are as after a power cut")
                }
            }
        } catch {
            let reason = (error as? LibvirtConnection.Failure)?.reason ?? "\(error)"
            state.withLock {
                // After an error of its own the agent has thawed again what it had frozen; and a guest that somebody else
                // has frozen is theirs to thaw.
                $0.isFrozen = DomainHandle.isSilence(error)
                $0.warnings.append("the guest's agent didn't freeze it (\(reason)); its disks are as after a power cut")
            }
            return
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.limit) { [self] in thaw(isLate: true) }
    }

    /// Whether all was held still until ``end()``.
    var held: Bool { state.withLock { $0.held } }

    /// Thaws at once, and doesn't return before it is done or hopeless.
    /// - Returns: what went wrong.
    func end() -> [String] {
        thaw(isLate: false)
        // A guest that can't be thawed now gets another half a minute from what is left behind.
        if state.withLock({ $0.isFrozen }) { will?.execute() } else { will?.revoke() }
        return state.withLock { $0.warnings }
    }

    private func thaw(isLate: Bool) {
        state.withLock { state in
            guard state.isFrozen else { return }
            var failure: (any Error)?
            for attempt in 1...Self.attempts {
                do {
                    let count = try domain.thaw()
                    // Somebody else had thawed it, or Windows had by itself.
                    if count == 0, state.held {
                        state.held = false
                        state.warnings.append(
                            "the guest was thawed before the backup had begun; its disks are as after a power cut")
                    }
                    state.isFrozen = false
                    failure = nil
                    break
                } catch {
                    failure = error
                    // One that was asked to freeze and didn't answer may be at it still.
                    if attempt < Self.attempts { sleep(1) }
                }
            }
            if let failure {
                state.held = false
                state.warnings.append("\(failure)".split(separator: "\n").joined(separator: "; "))
            }
            if isLate {
                state.held = false
                state.warnings.append(
                    "the backup took longer to begin than \(Int(Self.limit)) seconds, and the guest was thawed before; its"
                        + " disks are as after a power cut")
            }
        }
    }
}
