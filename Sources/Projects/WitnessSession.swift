internal import Converter
internal import Guest
internal import Guestfs
internal import Host
internal import Preflight

/// Lays the boot test's witness into overlays, through the appliance and a plan like any adaptation.
enum WitnessSession {
    /// - Throws: ``Guest/Refusal`` where the guest can't be opened, or has no init system that we know.
    static func lay(
        _ overlays: [String], keys: [String: [UInt8]], scratch: String, accelerator: Accelerator,
        _ phases: Phases,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws {
        let appliance = Appliance(memory: keys.isEmpty ? .usual : .passphrases)
        try await GuestSession.launch(
            appliance, disks: overlays.map { ApplianceDisk(path: $0, format: "qcow2", access: .overlay) },
            scratch: scratch, accelerator: accelerator, phases, progress)
        try await phases.time("lay the witness") {
            try await appliance.run { guest in
                // Several roots are refused here: which one boots is not known.
                _ = try Opening.open(guest, options: OpeningOptions(keys: keys))
                var draft = Draft(over: guest, disks: guest)
                try Witness.lay(into: &draft)
                try guest.apply(draft.plan()) { _ in }
            }
            try await appliance.shutDown()
        }
    }
}
