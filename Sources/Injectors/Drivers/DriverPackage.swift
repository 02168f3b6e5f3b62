internal import Guest

/// A driver package as its INF describes it, for one Windows.
struct DriverPackage: Equatable, Sendable {
    /// A device that the package drives.
    struct Device: Equatable, Sendable {
        /// "PCI\VEN_1AF4&DEV_1001"
        var id: String
        /// Whether it is the first of its line: the others are compatible ones.
        var isHardwareID: Bool
        /// The section that it is installed by, as its line has it.
        var section: String
        /// The name of a string in lower case, "%viostor.devicedesc%", or the text itself.
        var description: String
        /// The same.
        var manufacturer: String
    }

    struct File: Equatable, Sendable {
        /// In the package: "viostor.sys".
        var source: String
        /// Where it belongs: a directory number of the INF format, and a name in it.
        var directory: Int
        var name: String
    }

    struct Service: Equatable, Sendable {
        var name: String
        var displayName: String?
        var type: UInt32
        var start: UInt32
        var errorControl: UInt32
        var binary: Program
        var group: String?
        var values: [Setting]
        /// Of its event source; empty where it has none.
        var eventLog: [Setting]

        /// A directory number and the file: 12, "viostor.sys".
        struct Program: Equatable, Sendable {
            var directory: Int
            var name: String
        }
    }

    /// A value below a key that the INF calls HKR.
    struct Setting: Equatable, Sendable {
        /// "Parameters\PnpInterface"; empty for the key itself.
        var key: String
        /// nil: only the key is made.
        var value: NamedRegistryValue?
    }

    /// How a device is installed.
    struct Configuration: Equatable, Sendable {
        /// As it is named in the INF, decoration and all: "BALLOON_Device.NT".
        var name: String
        var files: [File]
        var service: Service?
        /// Values of the device's own key, from its `.HW` section.
        var device: [Setting]
        /// Values of its driver key, from the section itself.
        var driver: [Setting]
        /// KMDF's version, for drivers of that framework.
        var kmdfVersion: String?
    }

    /// "viostor.inf"
    var inf: String
    var provider: String
    var classID: GUID
    /// In days since 1601-01-01, as a FILETIME counts; 0 where the INF has no date.
    var date: UInt64
    /// Four numbers, most significant first.
    var version: [UInt16]
    var catalog: String?
    var devices: [Device]
    var configurations: [Configuration]
    /// Strings that the devices' descriptions name.
    var strings: [String: String]

    /// The names of all files that belong to it beside the INF, each once.
    var fileNames: [String] {
        var names: [String] = []
        for name in configurations.flatMap(\.files).map(\.source) + [catalog].compactMap({ $0 })
        where !names.contains(where: { $0.lowercased() == name.lowercased() }) {
            names.append(name)
        }
        return names
    }

    var versionText: String { version.map(String.init).joined(separator: ".") }
}
