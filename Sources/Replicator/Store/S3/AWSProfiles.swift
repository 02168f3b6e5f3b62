/// A file of profiles as AWS's tools have it: sections with keys and values, some of which have keys of their own,
/// indented.
struct AWSProfiles: Sendable {
    /// By profile and key; an indented key as "s3.addressing_style".
    private var values: [String: [String: String]] = [:]

    enum Kind: Sendable {
        /// ~/.aws/credentials: a section is named as its profile is.
        case credentials
        /// ~/.aws/config: all but the default have the word "profile" in front.
        case config
    }

    /// Lines that mean nothing are passed over, as the other tools do it.
    init(_ text: String, _ kind: Kind) {
        var profile: String?
        var parent: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let words = Self.trimmed(line)
            guard let first = words.first, first != "#", first != ";" else { continue }
            if first == "[" {
                profile = words.last == "]" ? Self.profile(String(words.dropFirst().dropLast()), kind) : nil
                parent = nil
                if let profile, values[profile] == nil { values[profile] = [:] }
                continue
            }
            guard let profile, let equals = words.firstIndex(of: "=") else { continue }
            let key = Self.trimmed(words[..<equals]).lowercased()
            let value = String(Self.trimmed(words[words.index(after: equals)...]))
            if line.first == " " || line.first == "\t", let parent {
                values[profile]?["\(parent).\(key)"] = value
            } else {
                values[profile]?[key] = value
                parent = value.isEmpty ? key : nil
            }
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" && $0 != "\r" }) else { return "" }
        return start[...end]
    }

    private static func profile(_ section: String, _ kind: Kind) -> String? {
        let words = section.split(separator: " ", maxSplits: 1).map(String.init)
        guard kind == .config, words != ["default"] else { return trimmed(section[...]).description }
        guard words.count == 2, words[0] == "profile" else { return nil }
        return words[1].filter { $0 != "\"" && $0 != "'" }
    }

    func has(_ profile: String) -> Bool { values[profile] != nil }

    /// nil where it isn't set, or is set to nothing.
    func value(_ key: String, of profile: String) -> String? {
        values[profile]?[key].flatMap { $0.isEmpty ? nil : $0 }
    }
}
