internal import CGuestfs
internal import Foundation
internal import Glibc
public import Host

/// A disk for the appliance.
public struct ApplianceDisk: Sendable {
    public enum Access: Sendable {
        /// The file stays as it is; what the guest's file systems write goes to a layer that is thrown away.
        case readOnly
        /// Written to, without regard for a power cut: for overlays that are thrown away after any failure.
        case overlay
    }

    /// A path on this host.
    public var path: String
    /// As qemu-img names it: "qcow2", "raw", "vmdk".
    public var format: String
    public var access: Access

    public init(path: String, format: String, access: Access) {
        self.path = path
        self.format = format
        self.access = access
    }
}

/// libguestfs's appliance: a small virtual machine that mounts an untrusted guest's file systems, so that this host
/// never does. One thread, one handle; ``run(_:)`` hands out the guest for a batch of calls in one hop.
public actor Appliance {
    private let executor = ThreadExecutor(name: "guestfs")
    private var guest: ApplianceGuest?
    private nonisolated let machine = ApplianceProcess()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// How much memory it has.
    public enum Memory: Sendable {
        /// What files and the guest's own tools need.
        case usual
        /// LUKS 2 derives a key in as much memory as cryptsetup took when the passphrase was set: up to 1 GiB, its own
        /// upper limit (Argon2id). An appliance of this size boots; the one that is parked has less.
        case passphrases

        var mebibytes: Int32 { self == .usual ? FixedAppliance.memoryMiB : 2048 }
    }

    private let memory: Memory

    public init(memory: Memory = .usual) { self.memory = memory }

    deinit { executor.stop() }

    /// Starts the appliance over the disks: our own, which starts quickly, else libguestfs's.
    /// - Parameters:
    ///   - scratch: a folder for temporary files, removed by its owner.
    ///   - log: gets a line of text now and then.
    public func launch(
        disks: [ApplianceDisk], accelerator: Accelerator, scratch: String, log: @Sendable (String) -> Void
    ) throws {
        do {
            let own = try FixedAppliance.prepare(accelerator: accelerator, log: log)
            guest = try start(own, disks: disks, accelerator: accelerator, scratch: scratch)
        } catch {
            try Task.checkCancellation()
            log("note: \(error); libguestfs's own appliance is used, which starts more slowly")
            guest = try start(nil, disks: disks, accelerator: accelerator, scratch: scratch)
        }
    }

    private func start(
        _ own: FixedAppliance?, disks: [ApplianceDisk], accelerator: Accelerator, scratch: String
    ) throws -> ApplianceGuest {
        let handle = try Handle()
        let g = handle.raw
        try handle.check(guestfs_set_backend(g, "direct"), "choose libguestfs's direct backend")
        try handle.check(guestfs_set_tmpdir(g, scratch), "use '\(scratch)' for temporary files")
        try handle.check(guestfs_set_autosync(g, 1), "set up the appliance")
        if accelerator == .tcg {
            try Handle.withStrings(["force_tcg"]) {
                try handle.check(guestfs_set_backend_settings(g, $0), "choose software emulation")
            }
        }
        if let own { try use(own, on: handle) }
        if memory != .usual {
            try handle.check(guestfs_set_memsize(g, memory.mebibytes), "set the appliance's memory")
        }
        for disk in disks { try add(disk, to: handle) }
        guard guestfs_launch(g) == 0 else {
            var failure = handle.failure("start the libguestfs appliance")
            failure.hint = "run libguestfs-test-tool; a kernel under /boot that this user can read is needed"
            throw failure
        }
        let process = guestfs_get_pid(g)
        machine.process = process > 0 ? process : nil
        return try ApplianceGuest(handle: handle, diskCount: disks.count)
    }

    private func use(_ appliance: FixedAppliance, on handle: borrowing Handle) throws {
        let g = handle.raw
        try handle.check(guestfs_set_path(g, appliance.folder), "use the appliance in '\(appliance.folder)'")
        if let hypervisor = appliance.hypervisor {
            try handle.check(guestfs_set_hv(g, hypervisor), "use '\(hypervisor)'")
        }
        if let arguments = appliance.kernelArguments {
            try handle.check(guestfs_set_append(g, arguments), "set the appliance's kernel arguments")
        }
        try handle.check(guestfs_set_memsize(g, appliance.memoryMiB), "set the appliance's memory")
    }

    private func add(_ disk: ApplianceDisk, to handle: borrowing Handle) throws {
        try disk.format.withCString { format in
            try "unsafe".withCString { cache in
                var options = guestfs_add_drive_opts_argv()
                options.bitmask = rehost_add_drive_format | rehost_add_drive_readonly
                options.format = format
                options.readonly = disk.access == .readOnly ? 1 : 0
                if disk.access == .overlay {
                    options.bitmask |= rehost_add_drive_cachemode
                    options.cachemode = cache
                }
                try handle.check(
                    guestfs_add_drive_opts_argv(handle.raw, disk.path, &options), "add the disk '\(disk.path)'")
            }
        }
    }

    /// Runs a batch of calls on the guest, on the appliance's own thread.
    public func run<Result: Sendable>(
        _ body: @Sendable (ApplianceGuest) throws -> Result
    ) throws -> Result {
        guard let guest else {
            throw GuestfsError(call: "reach the appliance", reason: "it is not running", code: 0)
        }
        try Task.checkCancellation()
        return try body(guest)
    }

    /// Ends it at once, from any thread: a call returns then with an error, whatever it waits for. What wasn't written
    /// back is lost.
    public nonisolated func abandon() { machine.end() }

    /// Writes everything back and stops the appliance.
    /// - Throws: where a write was lost; the disks are then worthless.
    public func shutDown() throws {
        defer { guest = nil }
        // Once it is waited for, its number may be another's.
        machine.process = nil
        try guest?.shutDown()
    }
}

/// The appliance's QEMU, for whoever has to end it while its thread waits for it.
private final class ApplianceProcess: @unchecked Sendable {
    private let lock = NSLock()
    private var number: pid_t?

    var process: pid_t? {
        get { lock.withLock { number } }
        set { lock.withLock { number = newValue } }
    }

    func end() { lock.withLock { if let number { _ = kill(number, SIGKILL) } } }
}
