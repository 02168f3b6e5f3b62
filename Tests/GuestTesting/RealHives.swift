internal import Foundation

/// Registry hives of real machines, which aren't part of the project: tests that use them are skipped where they are
/// not. They are looked for in the folder that REHOST_HIVES names, else in `shared/data/hives` beside the project.
public enum RealHives {
    static let folder =
        ProcessInfo.processInfo.environment["REHOST_HIVES"]
        ?? FileManager.default.currentDirectoryPath + "/../shared/data/hives"

    public static func has(_ name: String) -> Bool {
        [name, name + ".xz"].contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }

    public static func bytes(_ name: String) throws -> [UInt8] {
        let path = "\(folder)/\(name)"
        if FileManager.default.fileExists(atPath: path) { return Array(try Data(contentsOf: URL(filePath: path))) }
        return try HostTool("xz").output(["-dc", path + ".xz"])
    }
}
