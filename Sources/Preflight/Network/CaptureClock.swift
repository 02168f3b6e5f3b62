/// Turns the stamps of QEMU's filter-dump into seconds since power on.
///
/// A stamp is QEMU's virtual clock, which starts at 0 with the machine and stands still while it is stopped, plus a
/// start in whole seconds: the date of the guest's own clock (`-rtc base`), read as if it were this host's local time.
/// So a stamp can be hours or years from this host's clock, but its fraction and all differences are exact. The whole
/// seconds come from the caller: a packet was sent before it was read. Right to the microsecond once any packet was
/// read within a second of its sending; until then late by whole seconds.
struct CaptureClock: Sendable {
    /// The stamps' second of power on.
    private var start: Int?

    init() {}

    /// `second` and `fraction` are the newest stamp read, `now` is in seconds since power on.
    mutating func learn(second: Int, fraction: Double, now: Double) {
        guard now.isFinite else { return }
        // A billion seconds keeps a wrong clock from overflowing.
        let whole = Int((min(max(now, 0), 1e9) - fraction).rounded(.down))
        let latest = second - max(whole, 0)
        start = max(start ?? latest, latest)
    }

    func time(second: Int, fraction: Double) -> Double {
        max(0, Double(second - (start ?? second)) + fraction)
    }
}
