internal import Host

/// Whether guests run by KVM here, found out once and said once.
enum HostAccelerator {
    static func choose(_ note: (String) -> Void) -> Accelerator {
        let probe = AcceleratorProbe.run()
        if probe.accelerator == .tcg { note("note: \(probe.reason); software emulation is used, which is slower") }
        return probe.accelerator
    }
}
