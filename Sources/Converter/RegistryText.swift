internal import Guest

/// What becomes of a registry key, for people: each value with what was there before.
enum RegistryText {
    /// More of a removed key is a number.
    private static let removedLimit = 16

    static func lines(_ edit: RegistryEdit, before: Plan.Before) -> [String] {
        let old: RegistryTree = if case .registry(let tree) = before { tree } else { RegistryTree() }
        switch edit.action {
        case .remove:
            let gone = values(of: old, below: "")
            let rest = gone.count - removedLimit
            return ["  key removed"] + gone.prefix(removedLimit) + (rest > 0 ? ["  - … and \(rest) more"] : [])
        case .create(let settings):
            return ["  new key"] + settings.map { line("+", $0.name, $0.value) }
        case .set(let settings):
            return settings.flatMap { setting -> [String] in
                let present = old.values.first { RegistryPath.fold($0.name) == RegistryPath.fold(setting.name) }
                let minus = present.map { line("-", $0.name, $0.value) }
                let plus = setting.value.map { line("+", setting.name, $0) }
                return [minus, plus].compactMap { $0 }
            }
        }
    }

    private static func values(of tree: RegistryTree, below path: String) -> [String] {
        tree.values.map { line("-", path + shown($0.name), $0.value, isShown: true) }
            + tree.subkeys.flatMap { values(of: $0.tree, below: path + $0.name + "\\") }
    }

    private static func shown(_ name: String) -> String { name.isEmpty ? "(default)" : name }

    private static func line(_ sign: String, _ name: String, _ value: RegistryValue?, isShown: Bool = false) -> String {
        PlanText.harmless("  \(sign) \(isShown ? name : shown(name)) = \(value?.description ?? "")")
    }
}
