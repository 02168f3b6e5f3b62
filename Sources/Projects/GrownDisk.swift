internal import Converter
internal import Disks
internal import Guest
internal import Injectors

/// The guest's disks as a conversion sees them: where an EFI system partition has to be made and has no room, the boot
/// disk is seen larger than it is. The source stays as it is: a larger view is laid over it.
struct GrownDisk: Sendable {
    /// The place of the disk that grew.
    var index: Int
    var view: DiskImage

    /// nil where nothing has to grow.
    /// - Parameter scratch: a folder that outlives the view.
    static func make(_ images: [DiskImage], for adaptation: Adaptation, scratch: String) async throws -> GrownDisk? {
        guard adaptation.firmware == .uefi, !adaptation.skip.contains("uefi-boot") else { return nil }
        var disks: [(start: [UInt8], size: UInt64)] = []
        for image in images {
            let start = try await QemuImg.start(of: image, count: startSize, scratch: scratch)
            disks.append((start, image.virtualSize))
        }
        guard let (index, size) = UEFIPartition.growth(of: disks) else { return nil }
        let view = try await images[index].grown(to: size, at: "\(scratch)/grown-\(index).qcow2")
        return GrownDisk(index: index, view: view)
    }

    /// Partition tables of up to 128 entries, the usual number, are in it: they take 17 KiB.
    private static let startSize = 64 << 10

    func finding(size old: UInt64) -> Finding {
        Finding(
            level: .note, injector: "uefi-boot",
            message: "disk \(index) grows from \(old >> 20) MiB to \(view.virtualSize >> 20) MiB: it has no room for an"
                + " EFI system partition",
            hint: "a cloud's flavour or volume must hold that size")
    }
}
