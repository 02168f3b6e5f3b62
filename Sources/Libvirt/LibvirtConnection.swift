public import CLibvirt
internal import Foundation
internal import Glibc

/// An open connection to a libvirt of this host. libvirt's calls may come from any thread; they wait for its daemon or
/// QEMU, so they are made on threads of their own.
public final class LibvirtConnection: @unchecked Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var action: String
        public var reason: String
        public var hint: String
        /// libvirt's number of the error; 0 where it is none of its own.
        public var code: Int

        public init(action: String, reason: String, hint: String, code: Int = 0) {
            self.action = action
            self.reason = reason
            self.hint = hint
            self.code = code
        }

        public var description: String { "could not \(action): \(reason)\nhint: \(hint)" }
    }

    public let uri: String
    /// The library runs QEMU itself, and no daemon knows when this process dies.
    public let isEmbedded: Bool
    /// The security drivers that are on.
    public let securityModels: [String]
    /// Held until deinit; every domain holds a reference of its own.
    public let raw: virConnectPtr

    /// - Throws: ``Failure`` where there is no libvirt to reach.
    public static func open(_ uri: String) async throws -> LibvirtConnection {
        try await onThread { try LibvirtConnection(uri) }
    }

    /// Refuses what isn't a QEMU of this host's, before anything is asked.
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
                reason: "it is another host's libvirt, and disks and sockets are files of this one",
                hint: "run rehost over there, or name a libvirt of this host: --connect qemu:///system")
        }
    }

    private init(_ uri: String) throws {
        try Self.check(uri)
        LibvirtEventLoop.start()
        guard let raw = virConnectOpen(uri) else {
            throw Self.failure(
                "connect to libvirt at '\(uri)'",
                otherwise: "does 'virsh --connect URI version' work? is the URI right?")
        }
        self.uri = uri
        self.raw = raw
        isEmbedded = URLComponents(string: uri)?.path == "/embed"
        securityModels = Self.securityModels(of: raw)
    }

    /// Another one to the same, for where this one broke. It waits; not for the threads that tasks share.
    public func reopened() throws -> LibvirtConnection { try LibvirtConnection(uri) }

    deinit { virConnectClose(raw) }

    /// Blocking calls, off the threads that tasks share.
    public static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// What libvirt says about the call that has just failed on this thread; it keeps errors by thread.
    public static func failure(
        _ action: String,
        otherwise hint: String = "libvirt's log of the machine tells more"
    ) -> Failure {
        let code = virErrorNumber(UInt32(bitPattern: virGetLastErrorCode()))
        // Never NULL, and libvirt's until the thread's next call: copied at once.
        let reason = String(cString: virGetLastErrorMessage()).split(whereSeparator: \.isNewline).joined(separator: " ")
        return Failure(
            action: action, reason: reason, hint: Self.hint(code, reason) ?? hint, code: Int(code.rawValue))
    }

    private static func hint(_ code: virErrorNumber, _ reason: String) -> String? {
        let isSocket = reason.contains("Failed to connect socket")
        let refusals = [VIR_ERR_AUTH_FAILED, VIR_ERR_AUTH_CANCELLED, VIR_ERR_AUTH_UNAVAILABLE, VIR_ERR_ACCESS_DENIED]
        if refusals.contains(code) || isSocket && reason.contains("Permission denied") {
            return "join the group libvirt, or use qemu:///session"
        }
        if isSocket || code == VIR_ERR_NO_CONNECT {
            return "is libvirt's daemon running? systemctl start libvirtd"
        }
        if reason.contains("Is another process using the image") {
            return "the image is in use: shut the machine down, or take a copy or a snapshot"
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
}
