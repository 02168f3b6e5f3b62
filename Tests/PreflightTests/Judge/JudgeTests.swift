import Testing

@testable import Preflight

struct JudgeTests {
    private func judge(network: Bool = true, witness: Bool = false) -> Replay {
        var expectation = Judge.Expectation()
        expectation.hasNetwork = network
        expectation.hasWitness = witness
        return Replay(expectation)
    }

    private let lease: NetworkSummary = {
        var summary = NetworkSummary()
        summary.sign = "DHCP lease 10.0.2.15 for 'web01'"
        summary.lease = "10.0.2.15"
        return summary
    }()

    private func witness(_ replay: inout Replay, _ lines: [String]) {
        for line in lines { replay.judge.see(witness: "rehost-witness " + line, now: 1000, at: replay.now) }
    }

    @Test func aPromptAndALeaseAreABoot() {
        var replay = judge()
        replay.say("Linux version 6.1.0\r\n\r\nweb01 login: ")
        replay.judge.see(network: lease, at: replay.now)
        replay.pass(1, busy: 0.1)
        #expect(replay.judge.decision?.verdict == .boots)
        #expect(replay.judge.level == .login)
        #expect(replay.judge.evidence.contains { $0.source == .network })
    }

    @Test func aPromptWithoutAnAddressIsNoNetwork() {
        var replay = judge()
        replay.say("web01 login: ")
        replay.pass(120, busy: 0.02)
        #expect(replay.judge.decision?.verdict == .noNetwork)
        #expect(replay.judge.level == .login)
    }

    @Test func aSystemThatHangsWithALeaseDoesNotBoot() {
        var replay = judge()
        replay.say("Linux version 6.1.0\r\nWelcome to Debian GNU/Linux 12 (bookworm)!\r\n")
        replay.judge.see(network: lease, at: replay.now)
        replay.pass(400, busy: 0.02)
        #expect(replay.judge.decision?.verdict == .hang)
    }

    @Test func theWitnessIsWaitedForAndBelieved() {
        var replay = judge(witness: true)
        witness(&replay, ["begin 9.1"])
        replay.say("web01 login: ")
        replay.judge.see(network: lease, at: replay.now)
        replay.pass(5, busy: 1)
        #expect(replay.judge.decision == nil)
        witness(
            &replay,
            [
                "state degraded", "failed exim4.service", "login yes",
                "card ens3 virtio_net 52:54:00:12:34:56 up yes 10.0.2.15/24", "end 30.5",
            ])
        replay.pass(1, busy: 1)
        #expect(replay.judge.decision?.verdict == .boots)
        #expect(replay.judge.witnessFacts?.failedUnits == ["exim4.service"])
    }

    @Test func theWitnessTellsEmergencyModeWithoutAConsole() {
        var replay = judge(witness: true)
        witness(&replay, ["begin 9.1", "state maintenance", "end 100"])
        replay.judge.see(network: lease, at: replay.now)
        replay.pass(1, busy: 0.1)
        #expect(replay.judge.decision?.verdict == .emergencyShell)
    }

    @Test func aWitnessThatNeverEndsIsAHang() {
        var replay = judge(witness: true)
        witness(&replay, ["begin 9.1"])
        replay.judge.see(network: lease, at: replay.now)
        replay.pass(600, busy: 0.02)
        #expect(replay.judge.decision?.verdict == .hang)
    }

    @Test func aLeaseHeldInsideCountsWithoutAPacketFromIt() {
        var replay = judge(witness: true)
        var quiet = NetworkSummary()
        quiet.lease = "10.0.2.15"
        replay.judge.see(network: quiet, at: replay.now)
        witness(
            &replay,
            ["begin 1", "state running", "card e0 virtio_net 52:54:00:12:34:56 up yes 10.0.2.15/24", "end 9"])
        replay.pass(1, busy: 0.1)
        #expect(replay.judge.decision?.verdict == .boots)
    }

    @Test func oneResetIsNoLoop() {
        var replay = judge(network: false)
        replay.say("Linux version 6.1.0\r\n")
        for _ in 0..<3 {
            replay.judge.see(event: .reset, at: replay.now)
            replay.pass(0.2, busy: 1)
        }
        #expect(replay.judge.resets == 1)
        replay.say("web01 login: ")
        replay.pass(2, busy: 0.1)
        #expect(replay.judge.decision?.verdict == .boots)
    }

    @Test func whatAnEarlierStartHadCountsNoMore() {
        var replay = judge()
        replay.say("Linux version 6.1.0\r\n")
        replay.judge.see(network: lease, at: replay.now)
        replay.judge.see(event: .reset, at: replay.now)
        replay.judge.see(network: NetworkSummary(), at: replay.now)
        replay.say("Linux version 6.1.0\r\nweb01 login: ")
        replay.pass(60, busy: 0.02)
        #expect(replay.judge.decision?.verdict == .noNetwork)
    }

    @Test func harmlessErrorsOfGrubPass() {
        var replay = judge(network: false)
        replay.say("Welcome to GRUB!\r\n\r\nerror: no such device: 0bad.\r\nLinux version 6.1.0\r\n")
        replay.pass(30, busy: 1)
        replay.say("web01 login: ")
        replay.pass(2, busy: 0.1)
        #expect(replay.judge.decision?.verdict == .boots)
    }

    @Test func whatTheDisksStartTellsMakesTheReasonExact() {
        var expectation = Judge.Expectation()
        expectation.obstacle = ("the disk is empty", "take another")
        var replay = Replay(expectation)
        replay.say("SeaBIOS (version 1.16.2)\r\nBooting from Hard Disk...")
        replay.pass(10, busy: 1)
        #expect(replay.judge.decision?.verdict == .noBootDevice)
        #expect(replay.judge.decision?.reason == "the disk is empty")
    }

    @Test func aMissingFallbackPathIsNamed() {
        var expectation = Judge.Expectation()
        expectation.isUEFI = true
        var replay = Replay(expectation)
        replay.say("BdsDxe: loading Boot0002 \"EFI Internal Shell\" from Fv(7CB8BDC9)\r\n")
        replay.say("BdsDxe: starting Boot0002 \"EFI Internal Shell\" from Fv(7CB8BDC9)\r\n")
        replay.say("UEFI Interactive Shell v2.2\r\nShell> ")
        replay.pass(10, busy: 0.1)
        #expect(replay.judge.decision?.verdict == .noBootDevice)
        #expect(replay.judge.decision?.remedy?.contains("--boot-entry") == true)
        #expect(replay.judge.level == .firmware)
    }

    @Test func programsOfTheSystemMaySayError() {
        var replay = judge(network: false, witness: true)
        replay.say("Linux version 6.1.0\r\nWelcome to CentOS Linux 7 (Core)!\r\nerror: \"net.x\" is unknown\r\n")
        replay.pass(40, busy: 1)
        #expect(replay.judge.decision == nil)
    }

    @Test func aLockedDiskIsNamed() {
        var replay = judge(network: false)
        replay.say("Linux version 6.1.0\r\nPlease enter passphrase for disk cr_root:")
        replay.pass(60, busy: 0.02)
        #expect(replay.judge.decision?.verdict == .hang)
        #expect(replay.judge.decision?.reason.contains("passphrase") == true)
    }

    @Test func targetsOfAnInitramfsAreNoUserSpace() {
        var replay = judge(network: false)
        replay.say(
            "Welcome to Rocky Linux 9.3 dracut-057 (Initramfs)!\r\n[  OK  ] Reached target Local File Systems.\r\n")
        #expect(replay.judge.level == nil)
        replay.say("[  OK  ] Mounted /sysroot.\r\nSwitching root\r\n[  OK  ] Reached target Local File Systems.\r\n")
        #expect(replay.judge.level == .userSpace)
    }

    @Test func aBusyBootHasABudget() {
        var expectation = Judge.Expectation()
        expectation.budget = 100
        var replay = Replay(expectation)
        replay.say("Linux version 6.1.0\r\n")
        for second in 0..<200 {
            replay.say("audit: \(second)\r\n")
            replay.pass(1, busy: 1)
        }
        #expect(replay.judge.decision?.verdict == .hang)
        #expect(replay.judge.decision?.remedy?.contains("--budget") == true)
    }

    @Test func greetingsOfAnInitramfsAreNoUserSpace() {
        #expect(Signs.level(of: "Welcome to Fedora Linux 39 dracut-059-16.fc39 (Initramfs)!", isComplete: true) == nil)
        #expect(Signs.level(of: "Welcome to Rocky Linux 9.3 (Blue Onyx)!", isComplete: true) == .userSpace)
        #expect(Signs.level(of: "Welcome to GRUB!", isComplete: true) == .bootLoader)
        #expect(Signs.level(of: "Welcome to GR", isComplete: false) == nil)
    }

    @Test(arguments: [
        "web01 login: ", "db-1.example.com login:", "localhost login: ", "web01 login: [   50.1] audit: on",
    ])
    func prompts(_ line: String) { #expect(Signs.isLoginPrompt(line)) }

    @Test(arguments: ["login: ", "Last login: ", "the failed login:", "web01 login: root", "a b c login: "])
    func noPrompts(_ line: String) { #expect(!Signs.isLoginPrompt(line)) }
}
