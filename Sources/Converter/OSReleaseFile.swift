internal import Guest

/// os-release(5): shell-like assignments.
enum OSReleaseFile {
    static func parse(_ text: String) -> OSRelease {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            values[parts[0]] = parts[1].trimming(" \t").trimming("\"'")
        }
        let id = values["ID"] ?? "linux"
        return OSRelease(
            id: id, like: (values["ID_LIKE"] ?? "").split(separator: " ").map(String.init),
            version: values["VERSION_ID"] ?? "", prettyName: values["PRETTY_NAME"] ?? values["NAME"] ?? id)
    }
}
