internal import Guest

extension Opening {
    /// LUKS on LVM on LUKS is as deep as anybody goes.
    private static let depth = 4

    /// Opens what keys were given for. What appears inside may be encrypted again.
    mutating func unlockAll() throws {
        var tried: Set<String> = []
        for _ in 0..<Self.depth {
            var opened = false
            for system in fileSystems where system.type == "crypto_LUKS" && tried.insert(system.device).inserted {
                guard let (name, key) = key(for: system) else { continue }
                if try unlock(system, key, named: name) { opened = true }
            }
            guard opened else { return }
            fileSystems = try machine.fileSystems()
        }
    }

    private func key(for system: FileSystem) -> (name: String, bytes: [UInt8])? {
        let uuid = system.uuid?.lowercased()
        for (name, key) in options.keys.sorted(by: { $0.key < $1.key }) where name != "all" {
            let wanted = name.hasPrefix("UUID=") ? String(name.dropFirst("UUID=".count)) : name
            if name == system.device || wanted.lowercased() == uuid { return (name, key) }
        }
        return options.keys["all"].map { ("all", $0) }
    }

    /// - Returns: whether the device is open; false only where the key was meant for any device.
    private func unlock(_ system: FileSystem, _ key: [UInt8], named name: String) throws -> Bool {
        var failure: (any Error)?
        for variant in Self.variants(of: key) {
            do {
                _ = try machine.unlock(system.device, key: variant)
                return true
            } catch { failure = error }
        }
        guard name != "all", let failure else { return false }
        throw Refusal(
            .blocked, "the key given for '\(system.device)' doesn't open it: \(Self.firstLine(of: failure))",
            hint: "check the passphrase or key file named by --key \(name):file:PATH")
    }

    /// The ways to take a file: an editor's newline is no part of a passphrase, but all bytes of a key file count. The
    /// likelier one comes first: each wrong one costs seconds, as LUKS means it to.
    private static func variants(of key: [UInt8]) -> [[UInt8]] {
        guard key.last == 0x0A else { return [key] }
        var stripped = Array(key.dropLast())
        if stripped.last == 0x0D { stripped.removeLast() }
        let isText = String(validating: stripped, as: UTF8.self) != nil && !stripped.contains { $0 < 0x20 }
        return isText ? [stripped, key] : [key, stripped]
    }

    /// Encrypted devices that weren't opened.
    var lockedDevices: [String] {
        fileSystems.filter { $0.type == "crypto_LUKS" && !isUnlocked($0) }.map(\.device)
    }

    private func isUnlocked(_ system: FileSystem) -> Bool {
        fileSystems.contains { $0.device == FileSystem.unlockedName(of: system.device) }
    }
}
