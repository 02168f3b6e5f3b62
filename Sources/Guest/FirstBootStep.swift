/// Something that only the guest itself can do, when it starts for the first time: an installer, a setting of a device that
/// it hasn't seen yet. An injector asks for it; another one, which comes last, has them all run.
public struct FirstBootStep: Equatable, Sendable {
    /// Kebab-case, for the log and the names of files: "drivers".
    public var name: String
    /// What it does, as it goes on after "at its first start, the guest": "installs the drivers of its devices".
    public var purpose: String
    /// Lines of the guest's own command language, in ASCII.
    public var commands: [String]
    /// Files that the commands find in their own folder, by name.
    public var files: [String: [UInt8]]

    public init(_ name: String, purpose: String, commands: [String], files: [String: [UInt8]] = [:]) {
        self.name = name
        self.purpose = purpose
        self.commands = commands
        self.files = files
    }
}
