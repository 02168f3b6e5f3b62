internal import Guest

/// What a section of an INF is for: "NTamd64.10.0...16299". Microsoft's "INF Manufacturer section", TargetOSVersion.
struct INFTarget: Equatable, Sendable {
    var architecture: String?
    var major: Int?
    var minor: Int?
    /// 1 workstation, 2 domain controller, 3 server.
    var productType: Int?
    var build: Int?

    /// nil: it is no such name.
    init?(_ decoration: String) {
        let parts = decoration.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, first.hasPrefix("nt") else { return nil }
        architecture = first.count > 2 ? String(first.dropFirst(2)) : nil
        guard architecture.map({ ["x86", "amd64", "arm64", "arm", "ia64"].contains($0) }) ?? true else { return nil }
        // "NTamd64.Services" is a section that belongs to another.
        let numbers = parts.dropFirst().map { part in
            part.hasPrefix("0x") ? Int(part.dropFirst(2), radix: 16) : Int(part)
        }
        guard zip(parts.dropFirst(), numbers).allSatisfy({ $0.isEmpty || $1 != nil }) else { return nil }
        func number(_ index: Int) -> Int? { numbers.indices.contains(index - 1) ? numbers[index - 1] : nil }
        major = number(1)
        minor = number(2)
        productType = number(3)
        build = number(5)
    }

    /// Whether a system is one that this is for.
    func fits(_ system: WindowsVersion) -> Bool {
        // Without an architecture it is for x86 alone, since Windows Server 2003 SP1.
        guard (architecture ?? "x86") == system.architecture.infName else { return false }
        if let major {
            guard (major, minor ?? 0) <= (system.major, system.minor) else { return false }
            if let build, (major, minor ?? 0) == (system.major, system.minor), build > system.build { return false }
        }
        if let productType { return productType == system.productType.number }
        return true
    }

    /// The higher of two that fit is the one that Windows takes.
    static func < (left: INFTarget, right: INFTarget) -> Bool {
        func rank(_ target: INFTarget) -> [Int] {
            [
                target.major ?? 0, target.minor ?? 0, target.build ?? 0, target.productType == nil ? 0 : 1,
                target.architecture == nil ? 0 : 1,
            ]
        }
        return rank(left).lexicographicallyPrecedes(rank(right))
    }
}
