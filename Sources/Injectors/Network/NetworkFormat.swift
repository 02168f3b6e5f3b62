import Guest

/// One way in which a guest may keep its network configuration.
protocol NetworkFormat: Sendable {
    /// As ``DHCPNetwork/formatsInUse(_:)`` gives it; never renamed.
    var name: String { get }

    /// Whether its files configure an interface other than the loopback.
    func isConfigured(_ files: any GuestFiles) throws -> Bool

    /// Whether there is something in the guest that would read the files.
    func isInstalled(_ files: any GuestFiles) throws -> Bool

    /// What the files say, the loopback left out; files that can't be read are passed over.
    func read(_ files: any GuestFiles) throws -> [NetworkInterface]

    /// Static set-ups become DHCP, unless `cards` says that they stay; ties to the old hardware go, and `cards` learns what the network cards are called.
    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws
}

enum NetworkFormats {
    /// cloud-init comes first: it may write the files of the others.
    static let all: [any NetworkFormat] = [
        CloudInit(), Netplan(), Ifupdown(), RedHatIfcfg(), SUSEIfcfg(), Wicked(), NetworkManager(), Networkd(),
        ConnMan(),
    ]

    /// Files that are left over, whose reader isn't there any more, don't count beside files that are read.
    static func used(_ files: any GuestFiles) throws -> [any NetworkFormat] {
        let configured = try all.filter { try $0.isConfigured(files) }
        let installed = try configured.filter { try $0.isInstalled(files) }
        return installed.isEmpty ? configured : installed
    }
}

extension GuestFiles {
    /// A configuration file as text; nil as well for one that is too large to be one.
    /// - Parameter limit: in bytes; more than such a file ever has, so that a hostile one can't hold us up.
    func configuration(_ path: GuestPath, limit: UInt64 = 4 << 20) throws -> String? {
        guard let size = try status(path)?.size, size <= limit else { return nil }
        return try text(path)
    }

    func existsAny(_ paths: [GuestPath]) throws -> Bool { try paths.contains { try exists($0) } }
}
