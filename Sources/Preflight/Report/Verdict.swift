/// What a boot test found: `boots`, or the failure by name. The names are never changed.
public enum Verdict: String, Sendable, Codable, CaseIterable {
    case boots
    /// The firmware found nothing to start.
    case noBootDevice = "no-boot-device"
    /// The boot loader gave up and waits at its own prompt.
    case bootLoaderRescuePrompt = "boot-loader-rescue-prompt"
    /// The boot loader, or the boot sector, says what it can't do and stays there.
    case bootLoaderError = "boot-loader-error"
    case kernelPanic = "kernel-panic"
    /// The initramfs gave up: its own shell, before the root file system.
    case initramfsShell = "initramfs-shell"
    /// systemd's emergency or rescue mode, or another shell of the system's own.
    case emergencyShell = "emergency-shell"
    /// The system came up, and has no address that the network knows.
    case noNetwork = "no-network"
    case rebootLoop = "reboot-loop"
    /// It stopped at a stage without a word.
    case hang
    /// Windows' stop screen.
    case blueScreen = "blue-screen"
    /// Windows' recovery or repair screen.
    case recoveryScreen = "recovery-screen"
    /// The guest switched itself off before it was up.
    case powersOff = "powers-off"
    /// The test itself could not be done; nothing is said about the disk.
    case notTested = "not-tested"

    /// For people: "kernel panic".
    public var title: String { rawValue.replacing("-", with: " ") }
}
