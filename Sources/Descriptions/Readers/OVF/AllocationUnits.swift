internal import Foundation

/// Units as OVF has them (DSP0004's programmatic units), and the older words for them.
enum AllocationUnits {
    /// In bytes; nil for what is no unit of bytes: "byte * 2^20", "byte*10^9", "MegaBytes", "KB".
    static func bytes(_ text: String) -> UInt64? {
        let parts = text.lowercased().split(separator: "*").map { $0.trimmingCharacters(in: .whitespaces) }
        guard let first = parts.first, let unit = words[first] else { return nil }
        return parts.dropFirst().reduce(unit as UInt64?) { product, part in
            guard let product, let factor = factor(part) else { return nil }
            let (value, overflow) = product.multipliedReportingOverflow(by: factor)
            return overflow ? nil : value
        }
    }

    /// `number` of them, as text; nil where it is no number, or too large for one.
    static func bytes(_ number: String?, of unit: UInt64) -> UInt64? {
        guard let number = number?.trimmingCharacters(in: .whitespacesAndNewlines), !number.isEmpty else { return nil }
        guard let count = UInt64(number) ?? Double(number).flatMap({ UInt64(exactly: $0.rounded()) }) else {
            return nil
        }
        let (value, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : value
    }

    // OVF 0.9 and oVirt mean powers of two by all of these.
    private static let words: [String: UInt64] = [
        "byte": 1, "bytes": 1, "kb": 1 << 10, "kib": 1 << 10, "kilobyte": 1 << 10, "kilobytes": 1 << 10,
        "mb": 1 << 20, "mib": 1 << 20, "megabyte": 1 << 20, "megabytes": 1 << 20,
        "gb": 1 << 30, "gib": 1 << 30, "gigabyte": 1 << 30, "gigabytes": 1 << 30,
        "tb": 1 << 40, "tib": 1 << 40, "terabyte": 1 << 40, "terabytes": 1 << 40,
    ]

    /// "2^30", "1024".
    private static func factor(_ text: String) -> UInt64? {
        let parts = text.split(separator: "^").map { $0.trimmingCharacters(in: .whitespaces) }
        guard let base = parts.first.flatMap({ UInt64($0) }) else { return nil }
        guard parts.count > 1 else { return base }
        guard parts.count == 2, let exponent = Int(parts[1]), (0...63).contains(exponent) else { return nil }
        var value: UInt64 = 1
        for _ in 0..<exponent {
            let (next, overflow) = value.multipliedReportingOverflow(by: base)
            if overflow { return nil }
            value = next
        }
        return value
    }
}
