internal import Guest

extension InitramfsTool {
    private static let comment = "# Added by rehost: this machine's disks are virtio devices.\n"

    /// Plans what keeps modules in every initramfs that the tool makes from now on; nothing where they are named already.
    /// - Parameter index: where the modules' files are named in.
    func keep(_ modules: [String], _ index: ModuleIndex, in draft: inout Draft) throws {
        let script = try program(in: draft).flatMap { try draft.text($0) } ?? ""
        let dropIn = dropIns.first { dropIn in
            guard let mention = dropIn.mention, script.hasPrefix("#!") else { return true }
            return script.contains(mention)
        }
        guard let dropIn else { return }
        let old = try draft.text(dropIn.path) ?? ""
        switch dropIn.style {
        case .text(let make):
            if dropIn.isInFolderOfItsOwn {
                try draft.write(dropIn.path, text: make(modules))
            } else if !old.contains(make(modules)) {
                try draft.write(dropIn.path, text: Self.line(old) + make(modules))
            }
        case .lines:
            let named = Set(
                Self.lines(old).compactMap { $0.split(whereSeparator: \.isWhitespace).first.map(String.init) })
            let missing = modules.filter { !named.contains($0) }
            guard !missing.isEmpty else { return }
            try draft.write(
                dropIn.path, text: Self.line(old) + Self.comment + missing.map { $0 + "\n" }.joined())
        case .words(let variable, let brackets):
            let list = ShellList(variable: variable, brackets: brackets)
            try draft.write(dropIn.path, text: list.adding(modules, to: old))
        case .hostAdapters: try draft.write(dropIn.path, text: Self.addingHostAdapters(modules, to: old))
        case .feature(let name, let configuration):
            // mkinitfs takes what these patterns match, and whatever that needs.
            let patterns = modules.flatMap(index.closure).map { file in
                String(file.prefix(upTo: file.firstRange(of: ".ko")?.lowerBound ?? file.endIndex)) + ".ko*\n"
            }
            var seen: Set<String> = []
            try draft.write(dropIn.path, text: patterns.filter { seen.insert($0).inserted }.joined())
            let list = ShellList(variable: "features", brackets: .quotes)
            try draft.write(configuration, text: list.adding([name], to: draft.text(configuration) ?? ""))
        }
    }

    /// mkinitrd of RHEL 5 takes every module that an alias of this kind names.
    private static func addingHostAdapters(_ modules: [String], to old: String) -> String {
        let aliases = lines(old).map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
            .filter { $0.count >= 3 && $0[0] == "alias" && $0[1].hasPrefix("scsi_hostadapter") }
        let missing = modules.filter { module in !aliases.contains { $0[2] == module } }
        guard !missing.isEmpty else { return old }
        let taken = aliases.map { Int($0[1].dropFirst("scsi_hostadapter".count)) ?? 0 }.filter { $0 < 1000 }
        let first = (taken.max() ?? 0) + 1
        return line(old) + comment
            + missing.enumerated().map { "alias scsi_hostadapter\(first + $0.offset) \($0.element)\n" }.joined()
    }

    private static func lines(_ text: String) -> [Substring] { text.split(whereSeparator: \.isNewline) }

    /// A text that another line can follow.
    private static func line(_ text: String) -> String { text.isEmpty || text.hasSuffix("\n") ? text : text + "\n" }
}

extension InitramfsTool.DropIn {
    /// "/etc/dracut.conf.d" rather than "/etc".
    fileprivate var isInFolderOfItsOwn: Bool { path.parent.name.hasSuffix(".d") }
}
