import Guest

extension DeviceNames {
    /// Logins on consoles that the new machine hasn't: where no other login is left, they move to the first serial port.
    func adaptLogins(_ draft: inout Draft) throws {
        try adaptInittab(&draft)
        try adaptSecuretty(&draft)
    }

    /// `co:2345:respawn:/sbin/agetty xvc0 9600 vt100-nav`
    private func adaptInittab(_ draft: inout Draft) throws {
        let path: GuestPath = "/etc/inittab"
        guard let bytes = try draft.editableBytes(path, limit: Self.tableLimit) else { return }
        var file = ByteLines(bytes)
        let gettys = file.lines.indices.filter { index in
            let line = file.lines[index]
            return line.first != UInt8(ascii: "#") && line.split(separator: UInt8(ascii: ":")).count >= 3
                && line.firstRange(of: Array("getty".utf8)) != nil
        }
        func terminals(_ line: [UInt8]) -> [String] {
            line.split { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ":") }.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        guard !gettys.contains(where: { terminals(file.lines[$0]).contains("ttyS0") }) else { return }
        for index in gettys {
            guard let name = terminals(file.lines[index]).last(where: KernelParameters.isAbsent),
                let range = file.lines[index].firstRange(of: Array(" \(name)".utf8))
            else { continue }
            let was = file.text(index)
            file.lines[index].replaceSubrange(range, with: Array(" ttyS0".utf8))
            draft.record("console", of: name, in: path, ["was": [was], "now": [file.text(index)]])
            draft.note("the login on '\(name)' in '\(path)' moves to ttyS0: the new machine has no '\(name)'")
            try draft.write(path, file.bytes)
            return
        }
    }

    /// root may log in on the terminals that are listed.
    private func adaptSecuretty(_ draft: inout Draft) throws {
        let path: GuestPath = "/etc/securetty"
        guard let bytes = try draft.editableBytes(path, limit: Self.tableLimit) else { return }
        let names = ByteLines(bytes).lines.map { String(decoding: $0, as: UTF8.self) }
        guard names.contains(where: KernelParameters.isAbsent), !names.contains("ttyS0") else { return }
        let end: [UInt8] = bytes.last == 0x0A ? [] : [0x0A]
        try draft.write(path, bytes + end + Array("ttyS0\n".utf8))
    }
}
