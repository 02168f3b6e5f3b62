internal import Foundation

/// `libvirt+URI?domain=NAME`: a domain of a libvirt; the rest of the query is the URI's own.
public struct LibvirtAddress: Equatable, Sendable {
    public var uri: String
    public var domain: String

    public static let prefix = "libvirt+"

    /// - Throws: ``DescriptionFailure``
    public init(_ text: String) throws {
        let rest = text.dropFirst(text.hasPrefix(Self.prefix) ? Self.prefix.count : 0)
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var domain: String?
        var kept: [Substring] = []
        for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            if item.hasPrefix("domain="), domain == nil {
                domain = String(item.dropFirst(7)).removingPercentEncoding ?? String(item.dropFirst(7))
            } else {
                kept.append(item)
            }
        }
        guard let domain, !domain.isEmpty, let base = parts.first, !base.isEmpty else {
            throw DescriptionFailure(
                "'\(text)' names no domain", hint: "as in: libvirt+qemu:///system?domain=web01")
        }
        uri = base + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
        self.domain = domain
    }
}
