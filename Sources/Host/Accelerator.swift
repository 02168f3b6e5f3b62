/// What runs a guest's instructions: the host's processor through KVM, or QEMU's translator.
public enum Accelerator: String, Sendable, Codable {
    case kvm
    case tcg
}
