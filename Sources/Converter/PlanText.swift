public import Guest

/// A plan for people: a diff per file, a line per group of new files, per symlink and per range of sectors.
public enum PlanText {
    /// More new files than this in one folder are one line.
    private static let groupFrom = 8

    public static func render(_ plan: Plan) -> String {
        var blocks: [String] = []
        let groups = Dictionary(grouping: plan.items.filter(isNewFile)) { $0.change.path?.parent ?? .root }
            .filter { $0.value.count >= groupFrom }
        var shown: Set<GuestPath> = []
        for item in plan.items {
            if let folder = item.change.path?.parent, let group = groups[folder], isNewFile(item) {
                if shown.insert(folder).inserted { blocks.append(render(group, in: folder)) }
            } else {
                let label = item.change.path.flatMap { plan.labels[$0] }.map { "\n  label " + harmless($0) }
                let attributes = item.change.path.flatMap { plan.attributes[$0] }.map {
                    "\n  attributes of NTFS 0x" + String($0, radix: 16)
                }
                blocks.append(render(item) + (label ?? "") + (attributes ?? ""))
            }
        }
        if plan.isEmpty { blocks.append("nothing to change") }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func isNewFile(_ item: Plan.Item) -> Bool {
        if case .write = item.change, item.before == .nothing { true } else { false }
    }

    private static func render(_ group: [Plan.Item], in folder: GuestPath) -> String {
        let bytes = group.reduce(0) { sum, item in
            if case .write(_, let bytes, _) = item.change { sum + bytes.count } else { sum }
        }
        return harmless("\(folder)/") + "\t[\(group[0].injector)]\n  \(group.count) new files, \(size(bytes))"
    }

    private static func render(_ item: Plan.Item) -> String {
        let body: [String]
        switch item.change {
        case .write(_, let bytes, let permissions): body = written(bytes, permissions, item.before)
        case .append(_, let bytes, let offset): body = ["  \(size(bytes.count)) appended at byte \(offset)"]
        case .directory: body = ["  new folder"]
        case .symlink(_, let target):
            body =
                switch item.before {
                case .symlink(let old): [harmless("  symlink to \(target); it was one to \(old)")]
                case .file: [harmless("  symlink to \(target), in place of a file")]
                default: [harmless("  new symlink to \(target)")]
                }
        case .remove:
            body =
                switch item.before {
                case .symlink(let old): [harmless("  removed; it was a symlink to \(old)")]
                case .file(let bytes, _): ["  removed"] + diff(bytes, [])
                default: ["  removed"]
                }
        case .registry(let edit): body = RegistryText.lines(edit, before: item.before)
        case .disk(let edit):
            body = ["  \(edit.what)"]
        case .run(let command):
            body = [harmless("  \(command.arguments.joined(separator: " "))")]
        }
        return "\(target(of: item.change))\t[\(item.injector)]\n" + body.joined(separator: "\n")
    }

    private static func written(_ bytes: [UInt8], _ permissions: UInt16, _ before: Plan.Before) -> [String] {
        switch before {
        case .file(let old, let oldPermissions):
            var lines = diff(old, bytes)
            if oldPermissions != permissions {
                lines.insert("  mode \(octal(oldPermissions)) becomes \(octal(permissions))", at: 0)
            }
            return lines
        default: return ["  new file, mode \(octal(permissions)), \(size(bytes.count))"] + diff([], bytes)
        }
    }

    private static func octal(_ permissions: UInt16) -> String { "0" + String(permissions, radix: 8) }

    /// The diff of two files; nil bytes or invalid UTF-8 make it one line of sizes.
    static func diff(_ old: [UInt8], _ new: [UInt8]) -> [String] {
        guard let before = text(old), let after = text(new) else {
            return ["  \(size(old.count)) become \(size(new.count)) of other data"]
        }
        return UnifiedDiff.lines(from: before, to: after).map { "  " + harmless($0) }
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    /// What a change is about, in one line.
    public static func target(of change: Change) -> String {
        switch change {
        case .disk(let edit):
            edit.sectorCount == 1
                ? "disk \(edit.disk), sector \(edit.firstSector)"
                : "disk \(edit.disk), sectors \(edit.firstSector)–\(edit.firstSector + edit.sectorCount - 1)"
        case .registry(let edit): harmless(edit.key.description)
        case .run(let command): harmless("command: \(command.reason)")
        default: harmless(change.path?.description ?? "")
        }
    }

    public static func size(_ bytes: Int) -> String {
        switch bytes {
        case ..<10_000: "\(bytes) bytes"
        case ..<(10 << 20): "\(bytes >> 10) KiB"
        default: "\(bytes >> 20) MiB"
        }
    }

    /// A guest's text without what could steer the terminal that it is printed on.
    public static func harmless(_ text: String) -> String {
        var safe = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let steers = scalar.value < 32 && scalar != "\t" || (127..<160).contains(scalar.value)
            safe.append(steers ? "\u{FFFD}" : scalar)
        }
        return String(safe)
    }
}
