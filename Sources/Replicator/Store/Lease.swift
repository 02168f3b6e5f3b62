internal import Foundation
internal import Glibc

/// The right to write into a store for a while. The collector deletes nothing that a holder may rely on, and when a holder
/// is gone without a word, its lease is taken away: whatever it commits later doesn't count.
struct Lease: Codable, Sendable, Equatable {
    var id: String
    /// "backup01"
    var host: String
    var process: Int32
    var expires: Date

    /// For people.
    var holder: String { "\(host), process \(process)" }

    static func own(until expires: Date) -> Lease {
        Lease(
            id: UUID().uuidString.lowercased(), host: ProcessInfo.processInfo.hostName,
            process: ProcessInfo.processInfo.processIdentifier, expires: expires)
    }

    /// Whether its holder was on this host, and is gone: nobody has to wait for the lease to lapse then.
    var isOfDeadProcess: Bool {
        host == ProcessInfo.processInfo.hostName && kill(process, 0) != 0 && errno == ESRCH
    }

    /// In seconds. Renewed at a third of it.
    static let length: TimeInterval = 3600

    static let folder = "leases/"
    static let revokedFolder = "revoked/"
    var object: String { Self.folder + id }
}

extension Repository {
    /// - Parameter now: a test's own clock.
    func takeLease(now: Date = Date()) async throws -> Lease {
        let lease = Lease.own(until: now.addingTimeInterval(Lease.length))
        _ = try await store.put(lease.object, Array(JSONEncoder().encode(lease)), .replacing)
        return lease
    }

    func renew(_ lease: inout Lease, now: Date = Date()) async throws {
        lease.expires = now.addingTimeInterval(Lease.length)
        _ = try await store.put(lease.object, Array(JSONEncoder().encode(lease)), .replacing)
    }

    func end(_ lease: Lease) async throws {
        for kept in try await store.list("kept/\(lease.id)/") { try await store.remove(kept.name) }
        try await store.remove(lease.object)
    }

    /// - Throws: ``StoreError`` where a lease isn't worth anything any more.
    func check(_ lease: Lease, now: Date = Date()) async throws {
        guard lease.expires > now, try await store.size(of: Lease.revokedFolder + lease.id) == nil else {
            throw StoreError(
                .busy, "the capture took longer to say that it is alive than the store waits",
                hint: "capture the machine again: what was stored so far counts")
        }
    }

    func leases() async throws -> [Lease] {
        var leases: [Lease] = []
        for object in try await store.list(Lease.folder) {
            // Ended since it was listed.
            guard let bytes = try? await store.get(object.name) else { continue }
            let name = String(object.name.dropFirst(Lease.folder.count))
            // One that can't be read holds nobody up for longer than a good one would.
            leases.append(
                (try? JSONDecoder().decode(Lease.self, from: Data(bytes)))
                    ?? Lease(id: name, host: "unknown", process: 0, expires: Date().addingTimeInterval(Lease.length)))
        }
        return leases
    }

    func revoke(_ lease: Lease) async throws {
        _ = try await store.put(Lease.revokedFolder + lease.id, [], .replacing)
        try await end(lease)
    }

    func revokedLeases() async throws -> Set<String> {
        Set(try await store.list(Lease.revokedFolder).map { String($0.name.dropFirst(Lease.revokedFolder.count)) })
    }
}
