/// What a boot showed beside its verdict.
enum Findings {
    /// Seconds by which a clock may be wrong before anybody minds.
    private static let clockTolerance = 90.0

    static func collect(_ report: ImageReport, hasWitness: Bool) -> [PreflightFinding] {
        var findings: [PreflightFinding] = []
        guard let facts = report.witness else {
            if hasWitness, report.level ?? .firmware >= .userSpace {
                findings.append(
                    .init(
                        .warning, "the witness did not report; the verdict rests on what is seen from outside",
                        hint: "is the second serial port switched off in the guest?"))
            }
            return findings
        }
        if hasWitness, !facts.isComplete, report.verdict == .boots {
            findings.append(.init(.warning, "the witness did not end its report; what it says may have gaps"))
        }
        if !facts.failedUnits.isEmpty {
            findings.append(
                .init(
                    .warning, "units have failed: \(facts.failedUnits.prefix(8).joined(separator: ", "))",
                    hint: "did they fail on the source, too? systemctl status UNIT tells why"))
        }
        for target in facts.missingMounts {
            findings.append(
                .init(
                    .warning, "'\(target)' is in /etc/fstab and is not mounted",
                    hint: "is its disk among those of the machine? name it with --disk"))
        }
        if facts.rootIsReadOnly {
            findings.append(
                .init(
                    .warning, "the root file system is mounted read-only",
                    hint: "its check may have failed; see the log"))
        }
        if let offset = facts.clockOffset, abs(offset) > clockTolerance {
            findings.append(
                .init(
                    .warning, "the guest's clock is \(Int(abs(offset))) s \(offset < 0 ? "behind" : "ahead")",
                    hint: "does it take the hardware clock for local time? (timedatectl set-local-rtc 0)"))
        }
        for (name, state) in facts.tools.sorted(by: { $0.key < $1.key })
        where name != "qemu-guest-agent" && name != "qemu-ga" && state.hasPrefix("active") {
            findings.append(
                .init(.note, "\(name) runs, the tools of another hypervisor", hint: "rehost convert masks VMware's"))
        }
        let emulated = ["ata_piix", "ahci", "mptspi"]
        if report.machine.bus != .sata, emulated.contains(facts.rootDriver) {
            findings.append(.init(.note, "the root disk is driven by \(facts.rootDriver), not by virtio"))
        }
        return findings
    }
}
