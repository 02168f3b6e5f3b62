/// One interface of a guest's network configuration, whatever format it is written in.
public struct NetworkInterface: Equatable, Sendable, Codable {
    public enum Role: String, Sendable, Codable {
        case card
        case bond
        case bridge
        case vlan
        case team
        /// Tunnels, Wi-Fi and whatever else is neither a card nor made of cards.
        case other
    }

    /// How an interface gets its addresses of one family.
    public enum Method: String, Sendable, Codable {
        case dhcp
        case `static`
        /// IPv6 router advertisements; DHCPv6 where they tell to use it.
        case slaac
        case none
    }

    /// "ens192"; empty where the configuration serves any card, or tells it by a MAC address only.
    public var name: String
    /// What the format calls the configuration itself, where that isn't the interface's name: a NetworkManager profile.
    public var profile: String?
    public var role: Role
    /// The name of the format, as in ``Inspection/networkFormats``.
    public var format: String
    public var ipv4 = Method.none
    public var ipv6 = Method.none
    /// With prefix lengths where they are known: "192.168.77.10/24".
    public var addresses: [String] = []
    public var gateways: [String] = []
    /// In the format's own words.
    public var routes: [String] = []
    public var nameServers: [String] = []
    public var searchDomains: [String] = []
    /// In bytes.
    public var mtu: Int?
    /// The MAC address that the configuration tells the card by; lower case, with colons.
    public var mac: String?
    /// As the format has it: "802.3ad", "active-backup", "4".
    public var bondMode: String?
    /// The members of a bond, bridge or team, by the names that the configuration has for them.
    public var ports: [String] = []
    /// The bond, bridge or team that the interface belongs to.
    public var controller: String?
    /// What a VLAN is on.
    public var parent: String?
    public var vlan: Int?
    public var files: [GuestPath]

    public init(name: String, role: Role, format: String, files: [GuestPath]) {
        self.name = name
        self.role = role
        self.format = format
        self.files = files
    }
}
