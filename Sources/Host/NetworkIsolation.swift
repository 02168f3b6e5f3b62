/// A way to start a program so that it sees no network of this host: a network namespace of its own (unshare(1)).
public struct NetworkIsolation: Sendable {
    /// What goes in front of the program.
    let prefix: [String]

    /// Finds out which way works here: root's own, or one through a user namespace.
    /// - Returns: nil where the kernel or its settings allow none.
    public static func find() -> NetworkIsolation? {
        guard let unshare = Command("unshare", []).path else { return nil }
        for options in [["--net"], ["--user", "--map-current-user", "--net"]] {
            // A try costs a few milliseconds.
            if (try? Command(unshare, options + ["true"]).runBlocking()) != nil {
                return NetworkIsolation(prefix: [unshare] + options)
            }
        }
        return nil
    }
}
