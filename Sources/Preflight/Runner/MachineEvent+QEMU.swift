extension MachineEvent {
    /// nil for what says nothing about the guest (QEMU's docs/interop/qemu-qmp-ref).
    init?(_ event: QMP.Event) {
        switch event.name {
        case "RESET":
            guard event.data["reason"] == "guest-reset" || event.data["guest"] == "1" else { return nil }
            self = .reset
        case "SHUTDOWN":
            // A signal or a monitor's command is no deed of the guest's.
            self =
                event.data["reason"]?.hasPrefix("guest-") ?? (event.data["guest"] == "1")
                ? .poweredOff : .broken("QEMU was told to end")
        case "GUEST_PANICKED": self = .panicked
        case "BLOCK_IMAGE_CORRUPTED": self = .broken("the image is corrupt: \(event.data["msg"] ?? "")")
        case "BLOCK_IO_ERROR":
            self =
                event.data["nospace"] == "1"
                ? .broken("no room is left for what the guest writes")
                : .broken("reading the image failed: \(event.data["reason"] ?? "input/output error")")
        case "VSERPORT_CHANGE":
            guard event.data["open"] == "1" else { return nil }
            self = .agentConnected
        default: return nil
        }
    }
}
