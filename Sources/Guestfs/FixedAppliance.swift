internal import Foundation
public import Host

/// A libguestfs appliance of our own making (the LIBGUESTFS_PATH kind), cached on this host.
///
/// Under TCG it isn't booted for each launch: it was booted once, parked just before it answers, and its memory kept.
/// A launch maps that memory, brings up the disks, and answers. Under KVM it boots, from an uncompressed kernel.
public struct FixedAppliance: Sendable {
    /// For `guestfs_set_path`.
    public let folder: String
    /// For `guestfs_set_hv`; nil where QEMU is run as libguestfs would.
    public let hypervisor: String?
    /// For `guestfs_set_append`; nil for nothing. A parked appliance has had its kernel's command line already.
    public let kernelArguments: String?
    /// For `guestfs_set_memsize`. Memory of another size can't be mapped: the appliance would boot instead.
    public let memoryMiB: Int32

    /// Enough for update-initramfs in a chroot and for mounting a large XFS or Btrfs.
    static let memoryMiB: Int32 = 768

    /// Finds the cached appliance, or makes it, which takes half a minute or so and says one line through `log`.
    ///
    /// A second process that asks meanwhile waits. The folder isn't removed by anybody while this process lives.
    /// Throws ``FixedApplianceError`` where none can be made; libguestfs's own appliance then still works.
    public static func prepare(accelerator: Accelerator, log: (String) -> Void) throws -> FixedAppliance {
        let ingredients = try ApplianceIngredients.find(accelerator: accelerator)
        let cache = try ApplianceCache(folder: CacheFolder.url())
        let folder = cache.folder(key: ingredients.key)
        guard !folder.path.contains(":") else {
            throw FixedApplianceError(
                "could not use '\(folder.path)' for the appliance: libguestfs ends a path at a colon",
                hint: "set XDG_CACHE_HOME to a folder without one")
        }
        if !cache.hold(folder) {
            try cache.build(folder) { partial in
                log("building the appliance once, this takes about 40 s")
                try ApplianceBuild(ingredients: ingredients, folder: partial).run(log: log)
            }
        }
        return FixedAppliance(
            folder: folder.path,
            hypervisor: accelerator == .tcg ? folder.appendingPathComponent(ApplianceWrapper.name).path : nil,
            kernelArguments: accelerator == .tcg ? ApplianceScripts.kernelArguments : nil,
            memoryMiB: memoryMiB)
    }
}

/// Why there is no appliance of our own, and the way out.
public struct FixedApplianceError: Error, CustomStringConvertible {
    public let message: String
    public let hint: String

    init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message)\nhint: \(hint)" }
}
