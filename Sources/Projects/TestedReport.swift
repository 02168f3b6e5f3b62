public import Converter
internal import Guest
public import Preflight

/// A conversion's report, with the boot test's beside it under "preflight".
public struct TestedReport: Sendable, Encodable {
    public var conversion: ConversionReport
    public var preflight: ImageReport?
    /// The recovery point that the disks are of.
    public var recoveryPoint: PointReference?

    /// The conversion's, or the boot's.
    public var hasWarnings: Bool {
        conversion.findings.contains { $0.level == .warning }
            || preflight?.findings.contains { $0.level == .warning } ?? false
    }

    private enum Key: String, CodingKey { case preflight, recoveryPoint }

    public func encode(to encoder: any Encoder) throws {
        try conversion.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(preflight, forKey: .preflight)
        try container.encodeIfPresent(recoveryPoint, forKey: .recoveryPoint)
    }
}
