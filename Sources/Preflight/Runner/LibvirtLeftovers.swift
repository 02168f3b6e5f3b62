internal import CLibvirt
internal import Foundation
internal import Glibc
public import Libvirt

extension LibvirtConnection {
    /// - Throws: ``Failure`` where there is no libvirt to reach, or none that can run a test.
    public static func openForTests(_ uri: String) async throws -> LibvirtConnection {
        let connection = try await open(uri)
        try await onThread { if connection.isEmbedded { connection.endLeftovers() } }
        return connection
    }

    /// Ends the domains of runs that were killed. Only an embedded libvirt has such: it can't end a domain with the
    /// process that made it.
    func endLeftovers() {
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
