public import Guest

/// The way back for a guest's registry: a file that `reg import` takes on the running Windows.
public enum RegistryUndo {
    /// UTF-16 with a byte order mark and CRLF, as regedit writes it; nil where a plan changes no registry.
    public static func file(for plan: Plan) -> [UInt8]? {
        var removals: [RegistryPath] = []
        var blocks: [[String]] = []
        // A hive that the plan itself lays down has no way back: its file goes.
        let written = Set(
            plan.items.compactMap { item in if case .write(let path, _, _) = item.change { path } else { nil } })
        for item in plan.items {
            guard case .registry(let edit) = item.change, !written.contains(edit.key.hive.file) else { continue }
            let old: RegistryTree = if case .registry(let tree) = item.before { tree } else { RegistryTree() }
            switch edit.action {
            case .create:
                // A key goes with all that is in it; the plan has parents before what is below them.
                if !removals.contains(where: { edit.key.isInside($0) }) { removals.append(edit.key) }
            case .remove: blocks += keys(of: old, at: edit.key)
            case .set(let settings):
                blocks.append(
                    ["[\(edit.key.full)]"]
                        + settings.map { setting in
                            let name = RegistryPath.fold(setting.name)
                            let present = old.values.first { RegistryPath.fold($0.name) == name }
                            return present.map { line($0.name, $0.value) } ?? "\(quoted(setting.name))=-"
                        })
            }
        }
        if removals.isEmpty, blocks.isEmpty { return nil }
        var lines = [
            "Windows Registry Editor Version 5.00", "",
            "; Puts the registry back as it was before rehost changed it.",
            #"; Keys of HKEY_LOCAL_MACHINE\DRIVERS: first 'reg load HKLM\DRIVERS %SystemRoot%\System32\config\DRIVERS'."#,
            "",
        ]
        for key in removals { lines += ["[-\(key.full)]", ""] }
        for block in blocks { lines += block + [""] }
        let text = lines.joined(separator: "\r\n") + "\r\n"
        return [0xFF, 0xFE] + text.utf16.flatMap { LittleEndian.bytes($0) }
    }

    private static func keys(of tree: RegistryTree, at key: RegistryPath) -> [[String]] {
        [["[\(key.full)]"] + tree.values.map { line($0.name, $0.value) }]
            + tree.subkeys.flatMap { keys(of: $0.tree, at: key.child($0.name)) }
    }

    private static func line(_ name: String, _ value: RegistryValue) -> String {
        let data: String
        if let number = value.number {
            let digits = String(number, radix: 16)
            data = "dword:" + String(repeating: "0", count: 8 - digits.count) + digits
        } else {
            // Bytes are right for every type, text with line ends in it included.
            let type = value.type == RegistryValue.Kind.binary ? "hex:" : "hex(\(String(value.type, radix: 16))):"
            data = type + value.bytes.map { Hex.text($0) }.joined(separator: ",")
        }
        return quoted(name) + "=" + data
    }

    private static func quoted(_ name: String) -> String {
        name.isEmpty
            ? "@" : "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
