import Guest
enum Netplan { static func usesNetworkManager(_ f: any GuestFiles) throws -> Bool { false } }
