internal import CLibvirt
internal import Foundation
internal import Glibc

/// libvirt's event loop, one for the process. An embedded driver does nothing without it.
public enum LibvirtEventLoop {
    /// Before the first connection, which looks for it.
    public static func start() { _ = isStarted }

    private static let isStarted: Bool = {
        guard virInitialize() == 0, virEventRegisterDefaultImpl() == 0 else { return false }
        // Errors are told by whoever made the call.
        virSetErrorFunc(nil) { _, _ in }
        Thread.detachNewThread {
            // It fails only where poll(2) does; without the pause that would be a busy loop.
            while true { if virEventRunDefaultImpl() < 0 { usleep(100_000) } }
        }
        return true
    }()
}
