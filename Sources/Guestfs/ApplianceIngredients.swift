internal import Foundation
internal import Host

/// What an appliance is made of on this host, and the key that changes with it.
struct ApplianceIngredients {
    /// libguestfs's list of packages and files, for supermin.
    var supermin: URL
    var kernel: URL
    var modules: URL
    var qemu: String
    var accelerator: Accelerator
    var key: String

    /// Raised when what we make of the same ingredients changes and the scripts don't show it.
    private static let format = 1

    static func find(accelerator: Accelerator) throws -> ApplianceIngredients {
        #if !arch(x86_64)
            throw FixedApplianceError(
                "could not make an appliance: only x86-64 hosts are supported", hint: "the stock appliance is used")
        #endif
        let supermin = try superminFolder()
        let (kernel, modules) = try kernelAndModules()
        guard let qemu = Command("qemu-system-x86_64", []).path else {
            throw FixedApplianceError(
                "could not find qemu-system-x86_64", hint: "install it: apt-get install qemu-system-x86")
        }
        var ingredients = ApplianceIngredients(
            supermin: supermin, kernel: kernel, modules: modules, qemu: qemu, accelerator: accelerator, key: "")
        ingredients.key = ingredients.fingerprint()
        return ingredients
    }

    private static func superminFolder() throws -> URL {
        let candidates = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"].map {
            URL(fileURLWithPath: "\($0)/guestfs/supermin.d", isDirectory: true)
        }
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw FixedApplianceError(
                "could not find libguestfs's supermin.d folder", hint: "install it: apt-get install libguestfs0")
        }
        return found
    }

    /// A cloud kernel where there is one (half the size, no drivers for hardware that QEMU doesn't have), else the
    /// newest. libguestfs's own variables are heeded.
    private static func kernelAndModules() throws -> (URL, URL) {
        let environment = ProcessInfo.processInfo.environment
        if let kernel = environment["SUPERMIN_KERNEL"], let modules = environment["SUPERMIN_MODULES"] {
            return (URL(fileURLWithPath: kernel), URL(fileURLWithPath: modules, isDirectory: true))
        }
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: "/lib/modules")) ?? [])
            .filter { FileManager.default.fileExists(atPath: "/lib/modules/\($0)/modules.dep") }
            .sorted { one, other in
                if one.contains("cloud") != other.contains("cloud") { return one.contains("cloud") }
                return one.compare(other, options: .numeric) == .orderedDescending
            }
        var unreadable: String?
        for version in versions {
            for kernel in ["/boot/vmlinuz-\(version)", "/lib/modules/\(version)/vmlinuz"] {
                if FileManager.default.isReadableFile(atPath: kernel) {
                    let modules = URL(fileURLWithPath: "/lib/modules/\(version)", isDirectory: true)
                    return (URL(fileURLWithPath: kernel), modules)
                }
                if FileManager.default.fileExists(atPath: kernel) { unreadable = kernel }
            }
        }
        if let unreadable {
            throw FixedApplianceError(
                "could not read the kernel '\(unreadable)': permission denied",
                hint: "chmod 0644 \(unreadable), or run rehost as root")
        }
        throw FixedApplianceError(
            "could not find a kernel with its modules in /boot and /lib/modules",
            hint: "install one: apt-get install linux-image-cloud-amd64")
    }

    /// Names, sizes and times only: it is made on every run.
    private func fingerprint() -> String {
        var parts = [
            "format \(Self.format)", accelerator.rawValue, ApplianceScripts.initScript, ApplianceScripts.udevadm,
            ApplianceScripts.modprobe, ApplianceScripts.kernelArguments, ApplianceWrapper.script(qemu: qemu, rom: ""),
        ]
        parts += ApplianceScripts.needlessRules
        parts += Self.stamps(of: [kernel.path, modules.appendingPathComponent("modules.dep").path, qemu])
        let library = supermin.deletingLastPathComponent().deletingLastPathComponent()
        // The link's target has libguestfs's version in its name.
        parts += Self.stamps(of: [library.appendingPathComponent("libguestfs.so.0").resolvingSymlinksInPath().path])
        let files = (try? FileManager.default.contentsOfDirectory(atPath: supermin.path)) ?? []
        parts += Self.stamps(of: files.sorted().map { supermin.appendingPathComponent($0).path })
        // A parked guest has measured the time-stamp counter, which it sees as it is.
        let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("model name") }
        parts.append(processor.map(String.init) ?? "")
        // FNV-1a, 64 bits: a name, not a defence.
        let hash = parts.joined(separator: "\n").utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func stamps(of paths: [String]) -> [String] {
        paths.map { path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let size = attributes?[.size] as? Int ?? -1
            let changed = attributes?[.modificationDate] as? Date
            return "\(path) \(size) \(changed?.timeIntervalSince1970 ?? 0)"
        }
    }
}
