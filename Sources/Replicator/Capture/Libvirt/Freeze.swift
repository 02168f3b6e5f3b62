internal import Foundation
internal import Host
internal import Libvirt
internal import Synchronization

/// A guest whose file systems are held still. A guest that is left so can't write any more, so three see to it that it isn't:
/// whoever asked for it, a clock, and, should this process be killed, a command that is left behind.
final class Freeze: Sendable {
    private struct State {
        var isFrozen = false
        var warnings: [String] = []
        var held = false
    }

    /// In seconds. Windows thaws by itself after ten.
    private static let limit = 10.0

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
                    "the guest wasn't frozen: virsh, which would thaw it should this be killed, isn't there; its disks are"
                        + " as after a power cut (apt install libvirt-clients)")
            }
            return
        }
        do {
            let count = try domain.freeze()
            state.withLock {
                $0.isFrozen = true
                // An agent that freezes nothing has frozen nothing.
                $0.held = count > 0
            }
        } catch {
            // It may have frozen some before it failed, or answer later.
            _ = try? domain.thaw()
            let reason = (error as? LibvirtConnection.Failure)?.reason ?? "\(error)"
            state.withLock {
                $0.warnings.append("the guest's agent didn't freeze it (\(reason)); its disks are as after a power cut")
            }
            return
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.limit) { [self] in thaw(isLate: true) }
    }

    /// Whether all was held still until ``end()``.
    var held: Bool { state.withLock { $0.held } }

    /// Thaws at once.
    /// - Returns: what went wrong.
    func end() -> [String] {
        thaw(isLate: false)
        will?.revoke()
        return state.withLock { $0.warnings }
    }

    private func thaw(isLate: Bool) {
        state.withLock { state in
            guard state.isFrozen else { return }
            state.isFrozen = false
            do {
                let count = try domain.thaw()
                // Somebody else had thawed it, or Windows had by itself.
                if count == 0 { state.held = false }
            } catch {
                state.held = false
                state.warnings.append("\(error)".split(separator: "\n").joined(separator: "; "))
            }
            if isLate {
                state.held = false
                state.warnings.append(
                    "the backup took longer to begin than \(Int(Self.limit)) seconds, and the guest was thawed before; its"
                        + " disks are as after a power cut")
            } else if !state.held, state.warnings.isEmpty {
                state.warnings.append(
                    "the guest was thawed before the backup had begun; its disks are as after a power cut")
            }
        }
    }
}
