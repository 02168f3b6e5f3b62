internal import Archives
internal import Foundation
public import Injectors

/// virtio-win as an operator has it: the ISO, or a folder.
public enum VirtioWin {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// More than any tree of drivers has.
    private static let fileLimit = 200_000
    /// In bytes, for one file.
    private static let sizeLimit = 64 << 20

    /// - Throws: ``Failure`` where there is nothing, or nothing that can be read.
    public static func open(_ path: String) throws -> DriverMedia {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(description: "could not read '\(path)': there is no such file or folder")
        }
        let media = try isFolder.boolValue ? folder(path) : disc(path)
        guard media.paths.contains(where: { $0.lowercased().hasSuffix(".inf") }) else {
            throw Failure(description: "'\(path)' holds no drivers: there is no .inf file in it")
        }
        return media
    }

    private static func disc(_ path: String) throws -> DriverMedia {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let image = try DiscImage(descriptor: file.fileDescriptor)
            return DriverMedia(name: path, paths: image.files) { paths in
                try withExtendedLifetime(file) { try image.read(Set(paths), limit: sizeLimit) }
            }
        } catch {
            throw Failure(description: "could not read '\(path)' as an ISO image: \(error)")
        }
    }

    private static func folder(_ path: String) throws -> DriverMedia {
        let root = URL(fileURLWithPath: path, isDirectory: true).resolvingSymlinksInPath()
        guard let walk = FileManager.default.enumerator(atPath: root.path) else {
            throw Failure(description: "could not read the folder '\(path)'")
        }
        var paths: [String] = []
        while let name = walk.nextObject() as? String {
            guard paths.count < fileLimit else {
                throw Failure(description: "'\(path)' holds more than \(fileLimit) files: is it virtio-win's folder?")
            }
            let type = walk.fileAttributes?[.type] as? FileAttributeType
            if type == .typeRegular || type == .typeSymbolicLink { paths.append(name) }
        }
        return DriverMedia(name: path, paths: paths.sorted()) { paths in
            var contents: [String: [UInt8]] = [:]
            for name in paths { contents[name] = Array(try Data(contentsOf: root.appendingPathComponent(name))) }
            return contents
        }
    }
}
