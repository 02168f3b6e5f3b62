public import Guest

/// What every conformer of `GuestRegistry` is checked with, before and after edits.
public struct RegistryContract: Sendable {
    public let hive: Hive

    public init(hive: Hive) { self.hive = hive }

    public static let system = Hive(
        file: "/Windows/System32/config/SYSTEM", mountPoint: "HKEY_LOCAL_MACHINE\\SYSTEM")

    private func key(_ path: String) -> RegistryPath { RegistryPath(hive, path) }

    /// Every type, and names and data that break careless code.
    public let values: [NamedRegistryValue] = [
        NamedRegistryValue("", .string("the default")),
        NamedRegistryValue("Start", .dword(0)),
        NamedRegistryValue("Path", .expandString("%SystemRoot%\\System32")),
        NamedRegistryValue("List", .multiString(["one", "two", "żółć"])),
        NamedRegistryValue("Empty list", .multiString([])),
        NamedRegistryValue("Bytes", .binary((0..<300).map { UInt8($0 & 0xFF) })),
        NamedRegistryValue("Large", .binary((0..<6000).map { UInt8($0 % 251) })),
        NamedRegistryValue("Long", .qword(0x0102_0304_0506_0708)),
        NamedRegistryValue("Nothing", .none),
        NamedRegistryValue("\\DosDevices\\C:", .binary([1, 2, 3, 4])),
        NamedRegistryValue("Name in Windows: ä ö ü", .string("ß")),
        NamedRegistryValue("Odd", RegistryValue(type: 0xFFFF_0007, bytes: [1])),
        NamedRegistryValue("Short number", RegistryValue(type: RegistryValue.Kind.dword, bytes: [1, 2])),
    ]

    /// What makes the sample, on a hive that is empty.
    public var edits: [RegistryEdit] {
        [
            RegistryEdit(key("ControlSet001"), .create([])),
            RegistryEdit(key("ControlSet001\\Services"), .create([])),
            RegistryEdit(key("ControlSet001\\Services\\Everything"), .create(values.map { .init($0.name, $0.value) })),
            RegistryEdit(key("ControlSet001\\Services\\disk"), .create([.init("Start", .dword(3))])),
            RegistryEdit(key("ControlSet001\\Services\\disk\\StartOverride"), .create([.init("0", .dword(3))])),
            RegistryEdit(key("ControlSet001\\Services\\disk\\Parameters"), .create([.init("Bus", .dword(1))])),
            RegistryEdit(key("Select"), .create([.init("Current", .dword(1))])),
        ]
    }

    /// What goes wrong, in words; none is as it should be.
    /// - Parameter edit: of the registry, to be followed by reads.
    public func failures(_ registry: any GuestRegistry, edit: ([RegistryEdit]) throws -> Void) throws -> [String] {
        var failures: [String] = []
        func expect(_ condition: Bool, _ what: String) { if !condition { failures.append(what) } }
        let everything = key("CONTROLSET001\\services\\EVERYTHING")

        expect(try registry.values(of: key("Nowhere")) == nil, "a key that isn't there has values")
        expect(try registry.subkeys(of: key("Nowhere")) == nil, "a key that isn't there has subkeys")
        let other = Hive(file: "/Windows/System32/config/NOTHING", mountPoint: "HKEY_LOCAL_MACHINE\\NOTHING")
        expect(try registry.values(of: RegistryPath(other, "")) == nil, "a hive that isn't there has values")
        let root = try Set(registry.subkeys(of: key("")) ?? [])
        expect(root == ["ControlSet001", "Select"], "the root has \(root)")
        let read = try registry.values(of: everything) ?? []
        for value in values where !read.contains(value) {
            let present = read.first { $0.name == value.name }
            failures.append("'\(value.name)' is \(present?.value.description ?? "not there"), not \(value.value)")
        }
        expect(read.count == values.count, "there are \(read.count) values")
        expect(try registry.value("sTART", of: everything) == .dword(0), "a value's name has no case")

        try edit([
            RegistryEdit(key("ControlSet001\\Services\\disk\\StartOverride"), .remove),
            RegistryEdit(
                key("controlset001\\services\\DISK"),
                .set([.init("start", .dword(0)), .init("New", .string("x")), .init("Gone", nil)])),
            RegistryEdit(
                everything, .set([.init("Bytes", nil), .init("", nil), .init("Large", .binary([9]))])),
            RegistryEdit(key("ControlSet001\\Services\\viostor"), .create([.init("Start", .dword(0))])),
            RegistryEdit(key("ControlSet001\\Services\\viostor\\Parameters"), .create([])),
            RegistryEdit(key("ControlSet001\\Services\\viostor\\Parameters\\{5-ü}"), .create([])),
        ])
        let disk = key("ControlSet001\\Services\\disk")
        expect(try registry.subkeys(of: disk) == ["Parameters"], "the removed key is still there")
        expect(try registry.value("Start", of: disk) == .dword(0), "a value isn't changed")
        expect(try registry.value("New", of: disk) == .string("x"), "a new value isn't there")
        expect(try registry.value("Bus", of: disk.child("Parameters")) == .dword(1), "a subkey is changed")
        let after = try registry.values(of: everything) ?? []
        let kept = values.filter { !["Bytes", "", "Large"].contains($0.name) }
        for value in kept where !after.contains(value) { failures.append("'\(value.name)' is lost") }
        expect(after.count == kept.count + 1, "there are \(after.count) values after two were taken away")
        expect(try registry.value("Large", of: everything) == .binary([9]), "a large value isn't replaced")
        let services = try Set(registry.subkeys(of: key("ControlSet001\\Services")) ?? [])
        expect(services == ["Everything", "disk", "viostor"], "the services are \(services)")
        let parameters = try registry.subkeys(of: key("ControlSet001\\Services\\viostor\\Parameters"))
        expect(parameters == ["{5-ü}"], "the new key has \(parameters ?? [])")
        return failures
    }
}
