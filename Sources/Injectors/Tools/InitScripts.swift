import Guest

/// Services that are started by init scripts or Upstart jobs, and how to keep them from starting.
enum InitScripts {
    private static let runlevels = ["1", "2", "3", "4", "5", "S"]
    /// Debian's place, RHEL's, and SLES 11's. On RHEL the first leads to the second.
    private static let parents: [GuestPath] = ["/etc", "/etc/rc.d", "/etc/init.d"]

    /// Turns the links that start a script into links that stop it, as `update-rc.d disable` does.
    static func disable(_ script: String, in draft: inout Draft) throws {
        var seen: Set<GuestPath> = []
        for parent in parents {
            for level in runlevels {
                let folder = try draft.resolve(parent.appending("rc\(level).d"))
                guard seen.insert(folder).inserted else { continue }
                try disable(script, links: try draft.list(folder), in: folder, &draft)
            }
        }
    }

    private static func disable(_ script: String, links: [String], in folder: GuestPath, _ draft: inout Draft) throws {
        func order(_ link: String, _ kind: Character) -> Int? {
            let digits = link.dropFirst().prefix(2)
            guard link.first == kind, link.dropFirst(3) == script, digits.utf8.count == 2,
                digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            return Int(digits)
        }
        var hasStop = links.contains { order($0, "K") != nil }
        for link in links {
            guard let start = order(link, "S") else { continue }
            let path = folder.appending(link)
            guard case .symlink(let target) = try draft.kept(path)?.kind else { continue }
            if !hasStop {
                let stop = min(100 - start, 99)
                try draft.symlink(folder.appending("K\(stop < 10 ? "0" : "")\(stop)\(script)"), to: target)
                hasStop = true
            }
            draft.record("enabled-service", of: script, in: path, ["link-to": [target]])
            try draft.remove(path)
        }
    }

    /// `manual` in an override file: the job starts only when it is asked to (init(5)).
    static func disable(job: String, in draft: inout Draft) throws {
        guard try draft.exists("/etc/init/\(job).conf") else { return }
        let path: GuestPath = "/etc/init/\(job).override"
        var file = ByteLines(try draft.read(path) ?? [])
        if file.lines.last == [] { file.lines.removeLast() }
        guard !file.lines.indices.contains(where: { file.text($0) == "manual" }) else { return }
        draft.record("enabled-service", of: job, in: path, ["was": file.lines.indices.map { file.text($0) }])
        file.lines += [Array("manual".utf8), []]
        try draft.write(path, file.bytes)
    }
}

extension InitScripts {
    /// Makes the links that start a script, as `chkconfig --add` and `update-rc.d` do from what the script says of
    /// itself; nothing where a level starts it already.
    static func enable(_ script: String, in draft: inout Draft) throws {
        var seen: Set<GuestPath> = []
        var folders: [(level: String, path: GuestPath, links: [String])] = []
        for parent in parents {
            for level in ["2", "3", "4", "5"] {
                let folder = try draft.resolve(parent.appending("rc\(level).d"))
                guard seen.insert(folder).inserted, try draft.status(folder)?.kind == .directory else { continue }
                folders.append((level, folder, try draft.list(folder)))
            }
        }
        func isLink(_ link: String, _ kind: Character) -> Bool { link.first == kind && link.dropFirst(3) == script }
        guard !folders.contains(where: { $0.links.contains { isLink($0, "S") } }) else { return }
        let header = header(of: ByteLines(try draft.editableBytes("/etc/init.d/\(script)", limit: 1 << 20) ?? []))
        for folder in folders where header.levels.contains(folder.level) {
            for link in folder.links where isLink(link, "K") { try draft.remove(folder.path.appending(link)) }
            try draft.symlink(folder.path.appending("S\(header.order)\(script)"), to: "../init.d/\(script)")
        }
    }

    /// "# chkconfig: 2345 88 12", else "# Default-Start: 2 3 4 5".
    private static func header(of file: ByteLines) -> (levels: Set<String>, order: String) {
        for index in file.lines.indices.prefix(100) {
            let words = file.text(index).split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.first == "#", words.count > 2 else { continue }
            if words[1] == "chkconfig:", words.count >= 4, words[2] != "-", let order = Int(words[3]),
                (0...99).contains(order)
            {
                return (Set(words[2].map(String.init)), order < 10 ? "0\(order)" : "\(order)")
            }
            if words[1] == "Default-Start:" { return (Set(words.dropFirst(2)), "20") }
        }
        return (["2", "3", "4", "5"], "20")
    }
}
