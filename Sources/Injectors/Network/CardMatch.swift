/// Which of the new machine's cards an interface of the guest gets: `--mac MAC=INTERFACE` or `--mac MAC=ADDRESS`.
public struct CardMatch: Hashable, Sendable {
    /// Lower case, with colons.
    public var mac: String
    /// An interface's name as the guest has it, or an IP address that it had.
    public var target: String

    /// - Returns: nil where the text isn't of the form `MAC=INTERFACE` or `MAC=ADDRESS`.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let mac = Address.mac(parts[0]), !parts[1].trimmed.isEmpty else { return nil }
        self.mac = mac
        target = parts[1].trimmed
    }
}
