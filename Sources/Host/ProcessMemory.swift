internal import CLinux

/// This process's memory.
public enum ProcessMemory {
    /// From now on blocks of a MiB and more go back to the system when they are free. Left to itself, the C library keeps
    /// them once it has seen some: good for short work, not for a server of regions that come and go.
    public static func giveLargeBlocksBack() { _ = mallopt(-3, 1 << 20) }
}
