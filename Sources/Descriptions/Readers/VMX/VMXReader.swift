internal import Foundation
internal import Guest

/// A machine as VMware's .vmx file has it.
enum VMXReader {
    /// - Parameter path: the file's, absolute; its disks' names start from its folder.
    static func read(_ bytes: [UInt8], path: String) throws -> DescribedMachine {
        let file = VMXFile(bytes)
        guard isVMX(file) else {
            throw DescriptionFailure(
                "'\(path)' is no VMX file: it has neither config.version nor virtualHW.version nor displayName",
                hint: "name the machine's .vmx file, or its disk")
        }
        try refuse(file, path)
        var machine = MachineDescription(
            name: file["displayName"].flatMap { $0.isEmpty ? nil : $0 } ?? HostFile.stem(path), hypervisor: "vmware")
        // In MiB; what VMware can't have is no number.
        machine.memory = file.number("memSize").flatMap { (1...(1 << 30)).contains($0) ? $0 << 20 : nil }
        // VMware leaves the key out where it is 1.
        machine.processors = file.number("numvcpus").flatMap { (1...4096).contains($0) ? Int($0) : nil } ?? 1
        machine.topology = topology(file, machine.processors ?? 1)
        machine.firmware = file["firmware"]?.lowercased() == "efi" ? .uefi : .bios
        machine.secureBoot = file.flag("uefi.secureBoot.enabled")
        machine.guestSystem = file["guestOS"]
        machine.networkCards = networkCards(file)
        var described = DescribedMachine(machine: machine, sources: [], findings: notes(file))
        VMXDrives(file: file, path: path).add(to: &described)
        return described
    }

    static func isVMX(_ file: VMXFile) -> Bool {
        // A VMDK's text, which has the same form, has none of these.
        ["config.version", "virtualHW.version", "displayName"].contains { file[$0] != nil }
    }

    private static func refuse(_ file: VMXFile, _ path: String) throws {
        if let safe = file["encryption.keySafe"], !safe.isEmpty {
            throw Refusal(
                .blocked, "the machine in '\(path)' is encrypted by VMware",
                hint: "decrypt it in VMware (VM settings, Options, Access Control), or export it as an OVA")
        }
    }

    private static func notes(_ file: VMXFile) -> [Finding] {
        var findings: [Finding] = []
        if let state = file["checkpoint.vmState"], !state.isEmpty {
            findings.append(
                Finding(
                    level: .warning, injector: "description",
                    message: "the machine is suspended; the guest starts as after a power cut",
                    hint: "resume it, shut it down, and copy its disks then"))
        } else if file.flag("cleanShutdown") == false {
            findings.append(
                Finding(
                    level: .warning, injector: "description",
                    message: "the machine is running, or was not shut down; the guest starts as after a power cut",
                    hint: "shut it down, and copy its disks then"))
        }
        if !file.repeated.isEmpty {
            let keys = Set(file.repeated).sorted().prefix(5).joined(separator: ", ")
            findings.append(
                Finding(
                    level: .note, injector: "description", message: "said more than once: \(keys); the last one counts")
            )
        }
        return findings
    }

    private static func topology(_ file: VMXFile, _ processors: Int) -> MachineDescription.Topology? {
        guard let cores = file.number("cpuid.coresPerSocket").flatMap({ Int(exactly: $0) }),
            (1...processors).contains(cores), processors % cores == 0
        else { return nil }
        return .init(sockets: processors / cores, coresPerSocket: cores)
    }

    private static func networkCards(_ file: VMXFile) -> [MachineDescription.NetworkCard] {
        file.numbers("ethernet").filter { file.flag("ethernet\($0).present") == true }.map { number in
            let card = "ethernet\(number)."
            // "static" has the address that was set, "generated" and "vpx" (vCenter) the one that VMware made.
            let keys =
                file[card + "addressType"]?.lowercased() == "static"
                ? ["address", "generatedAddress"] : ["generatedAddress", "address"]
            let address = keys.lazy.compactMap { file[card + $0] }.first { !$0.isEmpty }
            let names = [file[card + "networkName"], file[card + "vnet"], file[card + "connectionType"]]
            return .init(
                mac: address.flatMap(HardwareAddress.normal), network: names.compactMap { $0 }.first { !$0.isEmpty },
                model: file[card + "virtualDev"]?.lowercased())
        }
    }
}

/// A network card's address.
enum HardwareAddress {
    /// Lower case, with colons; nil for what is none. VirtualBox writes it without any.
    static func normal(_ text: String) -> String? {
        let digits = text.lowercased().filter { $0 != ":" && $0 != "-" && $0 != "." && $0 != " " }
        guard digits.utf8.count == 12, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        let characters = Array(digits)
        return stride(from: 0, to: 12, by: 2).map { String(characters[$0..<($0 + 2)]) }.joined(separator: ":")
    }
}
