internal import Foundation
internal import Glibc

/// Gives a finished file its name so that a power cut leaves either nothing or all of it.
enum DurableFile {
    struct Failure: Error, CustomStringConvertible {
        var message: String
        var description: String { message }
    }

    static func rename(_ temporary: String, to final: String) throws {
        try sync(temporary)
        guard Glibc.rename(temporary, final) == 0 else {
            throw Failure(message: "could not name '\(final)': \(String(cString: strerror(errno)))")
        }
        try sync(URL(fileURLWithPath: final).deletingLastPathComponent().path)
    }

    private static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(message: "could not open '\(path)': \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw Failure(message: "could not write '\(path)' to disk: \(String(cString: strerror(errno)))")
        }
    }
}
