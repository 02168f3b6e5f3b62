import Testing

@testable import Preflight

/// The serial ports of real boots of `images/break-guest`'s guests under SeaBIOS.
struct RecordedBootTests {
    static let expected: [(String, Verdict)] = [
        ("healthy", .boots), ("empty", .noBootDevice), ("no-signature", .noBootDevice), ("no-boot-code", .hang),
        ("grub-rescue", .bootLoaderRescuePrompt), ("grub-prompt", .bootLoaderRescuePrompt),
        ("grub-no-kernel", .bootLoaderError), ("grub-menu-waits", .hang), ("panic-no-root", .kernelPanic),
        ("panic-no-init", .kernelPanic), ("panic-reboots", .kernelPanic), ("initrd-corrupt", .kernelPanic),
        ("initramfs-shell", .initramfsShell), ("initramfs-wrong-uuid", .initramfsShell),
        ("initramfs-no-init", .initramfsShell), ("emergency-mount", .emergencyShell),
        ("emergency-root-locked", .emergencyShell), ("rescue-target", .emergencyShell), ("hang-boot-sector", .hang),
        ("hang-kernel", .hang), ("hang-initramfs", .hang), ("hang-userspace", .hang),
    ]

    @Test(arguments: expected)
    func verdict(_ name: String, _ verdict: Verdict) throws {
        var expectation = Judge.Expectation()
        expectation.hasNetwork = false
        var replay = Replay(expectation)
        replay.feed(try Replay.log(name))
        // Whether it rests or spins, it must come to an end.
        replay.pass(300, busy: name.hasPrefix("grub") || name == "no-boot-code" ? 1 : 0.02)
        let decision = try #require(replay.judge.decision)
        #expect(decision.verdict == verdict, "\(decision)")
        #expect(!decision.reason.isEmpty)
        if verdict != .boots {
            #expect(decision.remedy?.isEmpty == false)
            #expect(!replay.judge.evidence.isEmpty)
        }
    }

    /// Each log that isn't of a healthy guest, with a network that works: still no "boots".
    @Test(arguments: expected.filter { $0.1 != .boots }.map(\.0))
    func aLeaseHealsNothing(_ name: String) throws {
        var replay = Replay(Judge.Expectation())
        var network = NetworkSummary()
        network.sign = "DHCP lease 10.0.2.15 for 'web01', used by 52:54:00:12:34:56"
        network.lease = "10.0.2.15"
        replay.judge.see(network: network, at: replay.now)
        replay.feed(try Replay.log(name))
        replay.pass(300, busy: 0.02)
        #expect(replay.judge.decision?.verdict != .boots)
        #expect(replay.judge.decision != nil)
    }

    @Test func aLoopOfResetsIsNamed() throws {
        var expectation = Judge.Expectation()
        expectation.hasNetwork = false
        for name in ["reboot-loop", "reboot-loop-early"] {
            var replay = Replay(expectation)
            for _ in 0..<4 {
                replay.feed(try Replay.log(name))
                replay.pass(2, busy: 0.5)
                replay.judge.see(event: .reset, at: replay.now)
                replay.pass(1, busy: 0.5)
            }
            #expect(replay.judge.decision?.verdict == .rebootLoop, "\(name)")
        }
    }

    @Test func switchingOffIsNamed() throws {
        var replay = Replay(Judge.Expectation())
        replay.feed(try Replay.log("powers-off"))
        replay.judge.see(event: .poweredOff, at: replay.now)
        #expect(replay.judge.decision?.verdict == .powersOff)
    }
}
