public import Host
public struct FixedAppliance: Sendable {
    public let folder: String
    public let hypervisor: String?
    public let kernelArguments: String?
    public let memoryMiB: Int32
    public static func prepare(accelerator: Accelerator, log: (String) -> Void) throws -> FixedAppliance {
        throw GuestfsError(call: "x", reason: "stub", code: 0)
    }
}
