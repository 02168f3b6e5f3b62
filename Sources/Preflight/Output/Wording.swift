internal import Foundation

/// Numbers and names as people read them.
enum Wording {
    /// "0.8 s", "62.4 s", "2 min 5 s".
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e9 else { return "?" }
        if value < 99.95 { return String(format: "%.1f s", value) }
        return rounded(value)
    }

    /// "0.8 s", "62 s", "2 min 5 s".
    static func rounded(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e9 else { return "?" }
        if value < 9.95 { return String(format: "%.1f s", value) }
        let whole = Int(value.rounded())
        if whole < 100 { return "\(whole) s" }
        return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
    }

    /// "3 images", "1 image".
    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? one : many ?? one + "s")"
    }

    /// "20,000".
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }

    /// "1 GiB", "1536 MiB".
    static func memory(_ mebibytes: Int) -> String {
        mebibytes >= 1024 && mebibytes % 1024 == 0 ? "\(mebibytes / 1024) GiB" : "\(mebibytes) MiB"
    }

    /// A guest's clock beside this host's.
    static func clock(_ offset: Double) -> String {
        guard offset.isFinite else { return "?" }
        if offset.magnitude < 2 { return "right" }
        return "\(duration(offset.magnitude)) \(offset > 0 ? "ahead" : "behind")"
    }

    private static func duration(_ value: Double) -> String {
        if value < 7200 { return rounded(value) }
        if value < 172_800 { return "\(Int((value / 3600).rounded())) hours" }
        return value < 1e12 ? "\(Int((value / 86400).rounded())) days" : "far"
    }
}

/// A verdict as good, bad or unknown.
enum Outcome: String {
    case passed
    case failed
    case unknown

    init(_ verdict: Verdict) {
        switch verdict {
        case .boots: self = .passed
        case .notTested: self = .unknown
        default: self = .failed
        }
    }
}

extension Machine.Firmware {
    var title: String { self == .uefi ? "UEFI" : "BIOS" }
}

extension ImageReport {
    /// The address that people would look for the guest at: the lease, else what the guest says, else what was heard.
    var address: String? {
        network?.lease ?? witness?.cards.lazy.compactMap(\.addresses.first).first ?? network?.sourceAddresses.first
    }

    var warnings: Int { findings.count { $0.level == .warning } }
}
