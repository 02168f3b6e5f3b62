/// How long a request is tried again.
struct S3Retries: Sendable {
    /// In all, the first one included.
    var attempts = 8
    /// While the server has never answered: then it's more likely the wrong address than a bad moment.
    var attemptsToReach = 3
    /// The most that the first pause lasts; each further one may last twice as long.
    var firstPause: Duration = .milliseconds(500)
    var longestPause: Duration = .seconds(20)
    /// Since the first failure; no attempt starts later.
    var overall: Duration = .seconds(120)
    /// One attempt, all of its bytes included.
    var attempt: Duration = .seconds(300)

    /// Anything up to the longest, so that those who failed together don't come back together.
    /// - Parameters:
    ///   - attempt: how many there were.
    ///   - asked: by the server, in seconds.
    func pause(after attempt: Int, asked: Int?) -> Duration {
        let most = min(longestPause, firstPause * (1 << min(attempt - 1, 16)))
        let pause = most * Double.random(in: 0...1)
        guard let asked, asked > 0 else { return pause }
        return max(pause, .seconds(asked))
    }
}
