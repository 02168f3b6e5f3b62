/// Which of two versions is newer, as Red Hat's GRUB sorts its entries: RPM's comparison. Runs of digits and of letters
/// are compared one after the other; what separates them doesn't count; `~` is older than nothing, `+` newer.
enum VersionOrder {
    /// - Returns: 1 where the first is newer, -1 where the second is.
    static func compare(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var a = first[...]
        var b = second[...]
        while !a.isEmpty || !b.isEmpty {
            a = a.drop(while: isSeparator)
            b = b.drop(while: isSeparator)
            let x = a.first
            let y = b.first
            if x == tilde || y == tilde {
                if x != tilde { return 1 }
                if y != tilde { return -1 }
                (a, b) = (a.dropFirst(), b.dropFirst())
                continue
            }
            if x == plus || y == plus {
                guard let x else { return -1 }
                guard let y else { return 1 }
                if x != plus { return 1 }
                if y != plus { return -1 }
                (a, b) = (a.dropFirst(), b.dropFirst())
                continue
            }
            guard let x, y != nil else { break }
            let isNumber = GrubScript.isDigit(x)
            let part = isNumber ? GrubScript.isDigit : GrubScript.isLetter
            var left = a.prefix(while: part)
            var right = b.prefix(while: part)
            // A number is newer than a word.
            if right.isEmpty { return isNumber ? 1 : -1 }
            (a, b) = (a[left.endIndex...], b[right.endIndex...])
            if isNumber {
                left = left.drop { $0 == 0x30 }
                right = right.drop { $0 == 0x30 }
                if left.count != right.count { return left.count > right.count ? 1 : -1 }
            }
            if !left.elementsEqual(right) { return right.lexicographicallyPrecedes(left) ? 1 : -1 }
        }
        return a.isEmpty ? (b.isEmpty ? 0 : -1) : 1
    }

    /// The same for file names made of a name, a version and a release, with dashes between them.
    static func compare(packages first: [UInt8], _ second: [UInt8]) -> Int {
        zip(parts(first), parts(second)).lazy.map { compare($0, $1) }.first { $0 != 0 } ?? 0
    }

    private static func parts(_ name: [UInt8]) -> [[UInt8]] {
        let dash = UInt8(ascii: "-")
        guard let last = name.lastIndex(of: dash) else { return [name, [], []] }
        guard let middle = name[..<last].lastIndex(of: dash) else {
            return [Array(name[..<last]), Array(name[(last + 1)...]), []]
        }
        return [Array(name[..<middle]), Array(name[(middle + 1)..<last]), Array(name[(last + 1)...])]
    }

    private static let tilde = UInt8(ascii: "~")
    private static let plus = UInt8(ascii: "+")
    private static func isSeparator(_ byte: UInt8) -> Bool {
        !GrubScript.isAlphanumeric(byte) && byte != tilde && byte != plus
    }
}
