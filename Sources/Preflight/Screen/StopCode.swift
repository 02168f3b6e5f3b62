/// What a Windows stop screen gives as the cause.
struct StopCode: Equatable, Sendable {
    /// As in Microsoft's list of bug check codes, such as INACCESSIBLE_BOOT_DEVICE.
    var name: String?
    var number: UInt32?

    /// Looks through the lines of a screen for "Stop code: …", "*** STOP: 0x0000007B (…)" and for the names of the
    /// table by themselves. Bears with what optical recognition mistakes: underscores, 0 and O, 1 and I, and the like.
    static func find(in lines: [String]) -> StopCode? {
        let lines = lines.prefix(200).map { String($0.prefix(400)) }
        // A long name may go on in the next line.
        let joined = zip(lines, lines.dropFirst() + [""]).map { $0 + " " + $1 }
        let byName = joined.lazy.compactMap(knownName).first
        let byNumber = lines.lazy.compactMap(labelledNumber).first
        if let number = byNumber {
            return StopCode(name: names[number] ?? byName, number: number)
        }
        if let byName { return StopCode(name: byName, number: names.first { $0.value == byName }?.key) }
        return lines.lazy.compactMap(labelledName).first.map { StopCode(name: $0, number: nil) }
    }

    /// A name of the table anywhere in the text, compared by letters and digits alone.
    private static func knownName(_ text: String) -> String? {
        let text = folded(text)
        // The longest one: IRQL_NOT_LESS_OR_EQUAL is a part of another name.
        return foldedNames.filter { text.contains($0.folded) }.max {
            $0.folded.count < $1.folded.count
        }?.name
    }

    /// The number behind "STOP:" or "STOP CODE:".
    private static func labelledNumber(_ line: String) -> UInt32? {
        guard let rest = behindLabel(line) else { return nil }
        // A recognised "0x" may start with an O or be gone, as it is in "STOP: c000021a {Fatal System Error}".
        let word = rest.prefix { $0.isLetter || $0.isNumber }.uppercased()
        let marked = word.hasPrefix("0X") || word.hasPrefix("OX")
        let digits = String(
            (marked ? String(word.dropFirst(2)) : word).map { digitLookalikes[$0] ?? $0 })
        guard marked ? !digits.isEmpty : digits.count == 8, digits.count <= 8 else { return nil }
        return UInt32(digits, radix: 16)
    }

    /// What is behind the label and looks like a name: capitals with at least one gap.
    private static func labelledName(_ line: String) -> String? {
        guard let rest = behindLabel(line) else { return nil }
        let words = rest.split { $0 == "_" || $0 == " " }.prefix { word in
            word.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber) }
        }
        return words.count >= 2 && words.count <= 12 ? words.joined(separator: "_") : nil
    }

    /// The rest of a line behind "STOP:", "STOP CODE:" or "STOPCODE:" in any case, whatever is made of the colon.
    private static func behindLabel(_ line: String) -> Substring? {
        // Only what is ASCII is folded: that leaves each character in its place.
        let upper = String(line.map { $0.isASCII ? $0.uppercased().first ?? $0 : $0 })
        for label in ["STOP CODE", "STOPCODE", "STOP"] {
            guard let range = upper.firstRange(of: label) else { continue }
            let behind = upper.distance(from: upper.startIndex, to: range.upperBound)
            let rest = line.dropFirst(behind).drop { $0 == " " }
            guard let mark = rest.first, ":;.".contains(mark) else { continue }
            return rest.drop { ":;. ".contains($0) }
        }
        return nil
    }

    /// Letters and digits only, those that are mistaken for each other made one.
    private static func folded(_ text: String) -> String {
        String(
            text.uppercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "|") }.map {
                letterLookalikes[$0] ?? $0
            })
    }

    private static let letterLookalikes: [Character: Character] = [
        "0": "O", "1": "I", "L": "I", "|": "I", "5": "S", "8": "B", "Q": "O",
    ]
    private static let digitLookalikes: [Character: Character] = [
        "O": "0", "I": "1", "L": "1", "S": "5", "Q": "0", "G": "6", "Z": "2",
    ]

    /// Without those that are another name and "_M": the next line's first letter would do to make one out of it.
    private static let foldedNames = names.values.filter { !$0.hasSuffix("_M") }.map { (name: $0, folded: folded($0)) }

    /// From Microsoft's "Bug Check Code Reference": those that a machine shows while it boots.
    static let names: [UInt32: String] = [
        0x0A: "IRQL_NOT_LESS_OR_EQUAL",
        0x1A: "MEMORY_MANAGEMENT",
        0x1E: "KMODE_EXCEPTION_NOT_HANDLED",
        0x24: "NTFS_FILE_SYSTEM",
        0x3B: "SYSTEM_SERVICE_EXCEPTION",
        0x50: "PAGE_FAULT_IN_NONPAGED_AREA",
        0x51: "REGISTRY_ERROR",
        0x5C: "HAL_INITIALIZATION_FAILED",
        0x67: "CONFIG_INITIALIZATION_FAILED",
        0x69: "IO1_INITIALIZATION_FAILED",
        0x6B: "PROCESS1_INITIALIZATION_FAILED",
        0x6F: "SESSION3_INITIALIZATION_FAILED",
        0x74: "BAD_SYSTEM_CONFIG_INFO",
        0x77: "KERNEL_STACK_INPAGE_ERROR",
        0x79: "MISMATCHED_HAL",
        0x7A: "KERNEL_DATA_INPAGE_ERROR",
        0x7B: "INACCESSIBLE_BOOT_DEVICE",
        0x7E: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
        0x7F: "UNEXPECTED_KERNEL_MODE_TRAP",
        0x80: "NMI_HARDWARE_FAILURE",
        0x8E: "KERNEL_MODE_EXCEPTION_NOT_HANDLED",
        0x9F: "DRIVER_POWER_STATE_FAILURE",
        0xA5: "ACPI_BIOS_ERROR",
        0xC2: "BAD_POOL_CALLER",
        0xC4: "DRIVER_VERIFIER_DETECTED_VIOLATION",
        0xD1: "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
        0xED: "UNMOUNTABLE_BOOT_VOLUME",
        0xEF: "CRITICAL_PROCESS_DIED",
        0xF4: "CRITICAL_OBJECT_TERMINATION",
        0xFC: "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY",
        0x101: "CLOCK_WATCHDOG_TIMEOUT",
        0x109: "CRITICAL_STRUCTURE_CORRUPTION",
        0x124: "WHEA_UNCORRECTABLE_ERROR",
        0x133: "DPC_WATCHDOG_VIOLATION",
        0x139: "KERNEL_SECURITY_CHECK_FAILURE",
        0x154: "UNEXPECTED_STORE_EXCEPTION",
        0x1000_007E: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M",
        0x1000_008E: "KERNEL_MODE_EXCEPTION_NOT_HANDLED_M",
        0xC000_0218: "STATUS_CANNOT_LOAD_REGISTRY_FILE",
        0xC000_021A: "STATUS_SYSTEM_PROCESS_TERMINATED",
        0xC000_0221: "STATUS_IMAGE_CHECKSUM_MISMATCH",
    ]
}
