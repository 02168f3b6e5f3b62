public import Guest
public struct DHCPNetwork: Injector { public init() {}; public let name = "dhcp-network"; public func applies(to guest: Inspection) -> Bool { false }
public func inject(into draft: inout Draft, guest: Inspection) throws {}
public static func formatsInUse(_ files: any GuestFiles) throws -> [String] { [] } }
public struct VMwareTools: Injector { public init() {}; public let name = "vmware-tools"; public func applies(to guest: Inspection) -> Bool { false }
public func inject(into draft: inout Draft, guest: Inspection) throws {}
public static func installed(_ files: any GuestFiles) throws -> [String] { [] } }
public struct DeviceNames: Injector { public init(diskPrefix: String, firmware: Firmware) {}; public let name = "device-names"; public func applies(to guest: Inspection) -> Bool { false }
public func inject(into draft: inout Draft, guest: Inspection) throws {}
 }
