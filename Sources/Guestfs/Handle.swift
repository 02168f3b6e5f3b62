internal import CGuestfs
internal import Glibc

/// What libguestfs said when a call failed.
public struct GuestfsError: Error, CustomStringConvertible {
    public var call: String
    public var reason: String
    /// The guest's errno; 0 where there is none.
    public var code: Int32
    public var hint: String?

    public var description: String {
        "could not \(call): \(reason)" + (hint.map { "\nhint: \($0)" } ?? "")
    }
}

/// One libguestfs handle. It belongs to the thread that made it: libguestfs keeps the last error per thread.
///
/// The C calls below are safe because every pointer that they get lives until they return, and everything that they
/// return is copied and freed here.
struct Handle: ~Copyable {
    let raw: OpaquePointer

    init() throws {
        guard let raw = guestfs_create() else {
            throw GuestfsError(call: "create a libguestfs handle", reason: "no memory", code: ENOMEM)
        }
        self.raw = raw
        // Errors are thrown; libguestfs would print them as well.
        guestfs_set_error_handler(raw, nil, nil)
    }

    deinit { guestfs_close(raw) }

    func failure(_ call: String) -> GuestfsError {
        let reason = guestfs_last_error(raw).map { String(cString: $0) } ?? "unknown error"
        return GuestfsError(call: call, reason: reason, code: guestfs_last_errno(raw))
    }

    /// Throws where a call returned -1.
    func check(_ status: Int32, _ call: @autoclosure () -> String) throws {
        if status == -1 { throw failure(call()) }
    }

    /// A NULL-terminated array of strings that a call returned.
    func strings(
        _ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ call: @autoclosure () -> String
    ) throws -> [String] {
        guard let list else { throw failure(call()) }
        var result: [String] = []
        var next = list
        while let item = next.pointee {
            result.append(String(cString: item))
            free(item)
            next += 1
        }
        free(list)
        return result
    }

    /// A NULL-terminated array for a call.
    static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
    ) rethrows -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return try pointers.withUnsafeMutableBufferPointer { buffer in
            // Never empty: it ends in nil.
            guard let base = buffer.baseAddress else { preconditionFailure("an array with a terminator is empty") }
            return try body(base)
        }
    }
}
