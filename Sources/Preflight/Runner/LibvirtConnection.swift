internal import CLibvirt
internal import Foundation
internal import Glibc

/// An open connection to a libvirt of this host. libvirt's calls may come from any thread; they wait for its daemon or
/// QEMU, so they are made on threads of their own.
public final class LibvirtConnection: @unchecked Sendable {
    public struct Failure: Error, CustomStringConvertible {
        var action: String
        var reason: String
        var hint: String
        public var description: String { "could not \(action): \(reason)\nhint: \(hint)" }
    }

    public let uri: String
    /// The library runs QEMU itself, and no daemon knows when this process dies.
    let isEmbedded: Bool
    /// The security drivers that are on.
    let securityModels: [String]
    /// Held until deinit; every domain holds a reference of its own.
    let raw: virConnectPtr

    /// - Throws: ``Failure`` where there is no libvirt to reach, or none that can run a test.
    public static func open(_ uri: String) async throws -> LibvirtConnection {
        try await onThread { try LibvirtConnection(uri) }
    }

    /// Refuses what no boot test can use, before anything is asked.
    public static func check(_ uri: String) throws {
        let parts = URLComponents(string: uri)
        let transport = parts?.scheme?.split(separator: "+").map(String.init) ?? []
        guard transport.first == "qemu" else {
            throw Failure(
                action: "use '\(uri)'", reason: "it is no libvirt that runs QEMU",
                hint: "name one as virsh does: --connect qemu:///system")
        }
        guard transport == ["qemu"] || transport == ["qemu", "unix"], parts?.host ?? "" == "" else {
            throw Failure(
                action: "use '\(uri)'",
                reason: "it is another host's libvirt, and overlays and evidence are files of this one",
                hint: "run rehost over there, or name a libvirt of this host: --connect qemu:///system")
        }
    }

    private init(_ uri: String) throws {
        try Self.check(uri)
        LibvirtEvents.start()
        guard let raw = virConnectOpen(uri) else {
            throw Self.failure(
                "connect to libvirt at '\(uri)'",
                otherwise: "does 'virsh --connect URI version' work? if not, leave --connect off")
        }
        self.uri = uri
        self.raw = raw
        isEmbedded = URLComponents(string: uri)?.path == "/embed"
        securityModels = Self.securityModels(of: raw)
        if isEmbedded { endLeftovers() }
    }

    deinit { virConnectClose(raw) }

    /// Blocking calls, off the threads that tasks share.
    static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// What libvirt says about the call that has just failed on this thread; it keeps errors by thread.
    static func failure(
        _ action: String,
        otherwise hint: String = "libvirt's log tells more; without --connect the disk boots in a QEMU of rehost's own"
    ) -> Failure {
        let code = virErrorNumber(UInt32(bitPattern: virGetLastErrorCode()))
        // Never NULL, and libvirt's until the thread's next call: copied at once.
        let reason = String(cString: virGetLastErrorMessage()).split(whereSeparator: \.isNewline).joined(separator: " ")
        return Failure(action: action, reason: reason, hint: Self.hint(code, reason) ?? hint)
    }

    private static func hint(_ code: virErrorNumber, _ reason: String) -> String? {
        let isSocket = reason.contains("Failed to connect socket")
        let refusals = [VIR_ERR_AUTH_FAILED, VIR_ERR_AUTH_CANCELLED, VIR_ERR_AUTH_UNAVAILABLE, VIR_ERR_ACCESS_DENIED]
        if refusals.contains(code) || isSocket && reason.contains("Permission denied") {
            return "join the group libvirt, or use --connect qemu:///session"
        }
        if isSocket || code == VIR_ERR_NO_CONNECT {
            return "is libvirt's daemon running? systemctl start libvirtd; or leave --connect off"
        }
        if reason.contains("Is another process using the image") {
            return "the image is in use: shut the machine down, or test a copy or a snapshot"
        }
        return nil
    }

    private static func securityModels(of raw: virConnectPtr) -> [String] {
        // A copy, which is ours to free.
        guard let text = virConnectGetCapabilities(raw) else { return [] }
        defer { free(text) }
        let host = String(cString: text)
        return host.matches(of: /<secmodel>\s*<model>([a-z]+)<\/model>/).map { String($0.1) }
    }

    /// Ends the domains of runs that were killed. Only an embedded libvirt has such: it can't end a domain with the
    /// process that made it.
    private func endLeftovers() {
        var list: UnsafeMutablePointer<virDomainPtr?>?
        let count = virConnectListAllDomains(raw, &list, UInt32(VIR_CONNECT_LIST_DOMAINS_ACTIVE.rawValue))
        guard count > 0, let list else { return }
        defer { free(list) }
        // libvirt gives a reference to each domain, and the array; all are released here.
        for domain in UnsafeBufferPointer(start: list, count: Int(count)).compactMap({ $0 }) {
            if let name = virDomainGetName(domain), LibvirtDomainName.isLeftover(String(cString: name)) {
                virDomainDestroy(domain)
            }
            virDomainFree(domain)
        }
    }
}

/// Names of the domains that boot tests make: they tell the process, too.
enum LibvirtDomainName {
    private static let prefix = "rehost-preflight-"

    static func new() -> String { "\(prefix)\(getpid())-\(UUID().uuidString.prefix(8).lowercased())" }

    /// Of a process that is gone.
    static func isLeftover(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), let number = name.dropFirst(prefix.count).split(separator: "-").first,
            let process = pid_t(number)
        else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}
