internal import CNBD
internal import Foundation

/// One connection to an NBD export. Used by one task at a time; several connections read side by side.
///
/// libnbd keeps the last error per thread, so each call and the look at its error stay in one function.
public final class NBDConnection: @unchecked Sendable {
    /// A stretch of an export, in bytes.
    public struct Extent: Equatable, Sendable {
        public var offset: UInt64
        public var length: UInt64
        /// The context's own bits: of `base:allocation` 1 is a hole and 2 reads as zeros; of a dirty bitmap 1 is dirty.
        public var flags: UInt32

        public init(offset: UInt64, length: UInt64, flags: UInt32) {
            self.offset = offset
            self.length = length
            self.flags = flags
        }
    }

    public static let allocation = "base:allocation"

    private let handle: OpaquePointer
    public let size: UInt64

    /// - Parameters:
    ///   - uri: "nbd+unix:///NAME?socket=PATH".
    ///   - contexts: what ``extents(_:offset:length:)`` can be asked for: ``allocation``, "qemu:dirty-bitmap:NAME".
    /// - Throws: ``DiskImage/Failure``.
    public init(_ uri: String, contexts: [String] = [NBDConnection.allocation]) throws {
        guard let handle = nbd_create() else { throw Self.failure("connect to '\(uri)'") }
        self.handle = handle
        for context in contexts where nbd_add_meta_context(handle, context) == -1 {
            let error = Self.failure("connect to '\(uri)'")
            nbd_close(handle)
            throw error
        }
        guard nbd_connect_uri(handle, uri) == 0 else {
            let error = Self.failure("connect to '\(uri)'")
            nbd_close(handle)
            throw error
        }
        let size = nbd_get_size(handle)
        guard size >= 0 else {
            let error = Self.failure("tell the size of '\(uri)'")
            nbd_close(handle)
            throw error
        }
        self.size = UInt64(size)
    }

    deinit { nbd_close(handle) }

    private static func failure(_ what: String) -> DiskImage.Failure {
        let reason = nbd_get_error().map { String(cString: $0) } ?? "no reason was given"
        return DiskImage.Failure(
            "could not \(what): \(reason)", hint: "is the export still there, and readable by this user?")
    }

    /// Reads a stretch.
    /// - Precondition: it lies inside the export.
    public func read(into buffer: UnsafeMutableRawBufferPointer, offset: UInt64) throws {
        guard let start = buffer.baseAddress, !buffer.isEmpty else { return }
        guard nbd_pread(handle, start, buffer.count, offset, 0) == 0 else { throw Self.failure("read at \(offset)") }
    }

    public func write(_ bytes: UnsafeRawBufferPointer, offset: UInt64) throws {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        guard nbd_pwrite(handle, start, bytes.count, offset, 0) == 0 else { throw Self.failure("write at \(offset)") }
    }

    /// Has a stretch read as zeros, as a hole where the format has holes.
    public func zero(offset: UInt64, length: UInt64) throws {
        guard length > 0, nbd_zero(handle, length, offset, 0) != 0 else { return }
        throw Self.failure("zero at \(offset)")
    }

    /// Returns when all that was written is safe from a power cut.
    public func flush() throws {
        guard nbd_flush(handle, 0) == 0 else { throw Self.failure("flush") }
    }

    public func has(context: String) -> Bool { nbd_can_meta_context(handle, context) == 1 }

    /// What a context says about a stretch, without gaps and in order.
    public func extents(_ context: String, offset: UInt64, length: UInt64) throws -> [Extent] {
        let found = Found(context: context)
        var at = offset
        let end = min(offset + length, size)
        while at < end {
            found.next = at
            var callback = nbd_extent_callback()
            callback.user_data = Unmanaged.passUnretained(found).toOpaque()
            callback.callback = { user, name, at, entries, count, _ in
                guard let user, let name, let entries else { return 0 }
                Unmanaged<Found>.fromOpaque(user).takeUnretainedValue().take(
                    String(cString: name), at, UnsafeBufferPointer(start: entries, count: count))
                return 0
            }
            // `found` outlives the call, which is done with the callback when it returns.
            let status = withExtendedLifetime(found) {
                nbd_block_status(handle, min(end - at, 1 << 30), at, callback, 0)
            }
            guard status == 0 else { throw Self.failure("ask for the extents at \(at)") }
            guard found.next > at else {
                throw DiskImage.Failure(
                    "the export says nothing about its extents at \(at)", hint: "is it an export of a newer qemu-nbd?")
            }
            at = found.next
        }
        return found.extents.map { extent in
            var extent = extent
            extent.length = min(extent.length, end - extent.offset)
            return extent
        }
    }

    /// Filled by libnbd's callback, on the calling thread.
    private final class Found {
        let context: String
        var extents: [Extent] = []
        var next: UInt64 = 0

        init(context: String) { self.context = context }

        func take(_ name: String, _ offset: UInt64, _ entries: UnsafeBufferPointer<UInt32>) {
            guard name == context, offset == next else { return }
            for index in stride(from: 0, to: entries.count - 1, by: 2) {
                let length = UInt64(entries[index])
                let flags = entries[index + 1]
                if let last = extents.last, last.flags == flags, last.offset + last.length == next {
                    extents[extents.count - 1].length += length
                } else {
                    extents.append(Extent(offset: next, length: length, flags: flags))
                }
                next += length
            }
        }
    }
}
