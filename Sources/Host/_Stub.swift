public enum Accelerator: String, Sendable { case kvm, tcg }
