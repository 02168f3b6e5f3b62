import Archives
import Guest
import GuestTesting
import Testing

@testable import Injectors

struct GuestAgentTests {
    private let unit: GuestPath = "/usr/lib/systemd/system/qemu-guest-agent.service"
    private let device = "dev-virtio\\x2dports-org.qemu.guest_agent.0.device"

    private func guest(_ files: [GuestPath: String] = [:], hasAgent: Bool = true) -> MemoryGuest {
        let guest = MemoryGuest(files)
        if hasAgent { guest.put("/usr/bin/qemu-ga", "ELF") }
        return guest
    }

    private func systemd(_ files: [GuestPath: String] = [:], hasAgent: Bool = true) -> MemoryGuest {
        let guest = guest(files, hasAgent: hasAgent)
        guest.put("/usr/lib/systemd/systemd", "ELF")
        guest.link("/sbin/init", to: "/usr/lib/systemd/systemd")
        return guest
    }

    private func convert(_ guest: MemoryGuest, package: AgentPackage? = nil) throws -> Plan {
        let injector = GuestAgent(package: package)
        let first = try injector.plan(guest, .sample())
        try guest.apply(first) { _ in }
        let second = try injector.plan(guest, .sample())
        #expect(second.items.filter { $0.change.kind != "command" }.isEmpty, "\(second.items)")
        return first
    }

    // MARK: Starting it

    @Test func aUnitThatSaysHowIsEnabled() throws {
        let plan = try convert(systemd([unit: "[Service]\nWantedBy=no\n[Install]\nWantedBy=\(device)\n"]))
        let link = SystemdUnits.administrator.appending("\(device).wants/qemu-guest-agent.service")
        #expect(plan.items.map(\.change).contains(.symlink(link, target: unit.description)))
    }

    @Test func whatIsEnabledOrStartedByUdevStays() throws {
        #expect(try convert(systemd([unit: "[Service]\n[Install]\n"])).isEmpty)
        let enabled = systemd([unit: "[Install]\nWantedBy=multi-user.target\n"])
        enabled.link(
            "/etc/systemd/system/multi-user.target.wants/qemu-guest-agent.service", to: unit.description)
        #expect(try convert(enabled).isEmpty)
        #expect(try convert(systemd([unit: "[Install]\nWantedBy=a.target\n"], hasAgent: false)).isEmpty)
    }

    @Test func aMaskIsAWish() throws {
        let guest = systemd([unit: "[Install]\nWantedBy=multi-user.target\n"])
        guest.link("/etc/systemd/system/qemu-guest-agent.service", to: "/dev/null")
        let plan = try convert(guest)
        #expect(plan.isEmpty && plan.findings.count == 1)
    }

    @Test func initScript() throws {
        let guest = guest(["/etc/init.d/qemu-ga": "#!/bin/sh\n# chkconfig: 35 88 12\n"])
        for level in 0...6 { guest.folder("/etc/rc.d/rc\(level).d") }
        #expect(
            try convert(guest).items.map(\.change) == [
                .symlink("/etc/rc.d/rc3.d/S88qemu-ga", target: "../init.d/qemu-ga"),
                .symlink("/etc/rc.d/rc5.d/S88qemu-ga", target: "../init.d/qemu-ga"),
            ])
    }

    @Test func openRC() throws {
        let guest = guest(["/etc/init.d/qemu-guest-agent": "#!/sbin/openrc-run\n"])
        guest.folder("/etc/runlevels/default")
        #expect(
            try convert(guest).items.map(\.change) == [
                .symlink("/etc/runlevels/default/qemu-guest-agent", target: "/etc/init.d/qemu-guest-agent")
            ])
    }

    // MARK: Packages

    private static func debian(
        _ control: String = "Package: qemu-guest-agent\nArchitecture: amd64\nDepends: libc6 (>= 2.34), a | b\n",
        in compression: Compression? = .gzip
    ) throws -> [UInt8] {
        func member(_ name: String, _ content: [UInt8]) -> [UInt8] {
            let size = String(content.count)
            let header =
                name.padding(16) + "0".padding(12) + "0".padding(6) + "0".padding(6) + "100644".padding(8)
                + size.padding(10) + "`\n"
            return Array(header.utf8) + content + (content.count % 2 == 1 ? [0x0A] : [])
        }
        func packed(_ entries: [Tar.Entry]) throws -> [UInt8] {
            let plain = try Tar.write(entries)
            return try compression?.encode(plain) ?? plain
        }
        let ending = compression == nil ? "" : ".gz"
        return try Array("!<arch>\n".utf8) + member("debian-binary", Array("2.0\n".utf8))
            + member(
                "control.tar\(ending)",
                packed([
                    Tar.Entry(
                        path: "control", kind: .file(Array(control.utf8)), permissions: 0o644, owner: 0, group: 0)
                ]))
            + member(
                "data.tar\(ending)",
                packed([
                    Tar.Entry(path: "usr/sbin/qemu-ga", kind: .file([1]), permissions: 0o755, owner: 0, group: 0)
                ]))
    }

    /// Lead, an empty signature, and a header with these tags.
    private static func rpm(name: String = "qemu-guest-agent", architecture: String = "x86_64") -> [UInt8] {
        func big(_ value: Int) -> [UInt8] { LittleEndian.bytes(UInt32(value)).reversed() }
        let texts: [(Int, [UInt8], Int)] = [
            (1000, Array(name.utf8) + [0], 1), (1022, Array(architecture.utf8) + [0], 1), (1116, big(0), 1),
            (1117, Array("qemu-ga".utf8) + [0], 1), (1118, Array("/usr/bin/".utf8) + [0], 1),
        ]
        var index: [UInt8] = []
        var store: [UInt8] = []
        for (tag, bytes, count) in texts {
            index += big(tag) + big(6) + big(store.count) + big(count)
            store += bytes
        }
        let magic: [UInt8] = [0x8E, 0xAD, 0xE8, 1, 0, 0, 0, 0]
        return [0xED, 0xAB, 0xEE, 0xDB] + [UInt8](repeating: 0, count: 92) + magic + big(0) + big(0) + magic
            + big(texts.count) + big(store.count) + index + store
    }

    private let status = """
        Package: libc6
        Status: install ok installed
        Provides: libc

        Package: b
        Status: install ok installed

        Package: gone
        Status: deinstall ok config-files
        """

    @Test func debianPackage() throws {
        for compression in [Compression.gzip, nil] {
            let package = try AgentPackage(try Self.debian(in: compression))
            #expect(package.name == "qemu-guest-agent" && package.architecture == "amd64")
            #expect(package.dependencies == [["libc6"], ["a", "b"]])
            #expect(package.files == ["/usr/sbin/qemu-ga"])
            let guest = systemd(["/usr/bin/dpkg": "", "/var/lib/dpkg/status": status], hasAgent: false)
            let plan = try convert(guest, package: package)
            guard case .run(let command) = plan.items.first?.change else {
                Issue.record("no command: \(plan)")
                return
            }
            #expect(command.input?.bytes == package.bytes)
            #expect(command.arguments.suffix(2) == ["--install", "/rehost-guest-agent.deb"])
            #expect(command.failure != .fatal)
            #expect(command.makes == ["/usr/sbin/qemu-ga"])
        }
    }

    @Test func aMissingDependencyIsToldAndNothingIsRun() throws {
        let control = "Package: qemu-guest-agent\nArchitecture: all\nDepends: libc6, gone, x (>> 1) | y\n"
        let package = try AgentPackage(try Self.debian(control))
        let guest = systemd(["/usr/bin/dpkg": "", "/var/lib/dpkg/status": status], hasAgent: false)
        let plan = try convert(guest, package: package)
        #expect(plan.isEmpty && plan.warnings.count == 1)
        #expect(plan.warnings.first?.message.contains("needs gone, x or y, which the guest lacks") == true)
    }

    @Test func rpmPackage() throws {
        let package = try AgentPackage(Self.rpm())
        #expect(package.files == ["/usr/bin/qemu-ga"])
        let guest = systemd(["/usr/bin/rpm": ""], hasAgent: false)
        guest.folder("/var/lib/rpm")
        let plan = try convert(guest, package: package)
        guard case .run(let command) = plan.items.first?.change else {
            Issue.record("no command: \(plan)")
            return
        }
        #expect(command.arguments == ["/usr/bin/rpm", "--install", "/rehost-guest-agent.rpm"])
        #expect(command.failure == .tolerated(putBack: []))
    }

    @Test func aPackageOfAnotherKindIsAWarning() throws {
        let debian = systemd(["/usr/bin/dpkg": "", "/var/lib/dpkg/status": status], hasAgent: false)
        for package in [try AgentPackage(Self.rpm()), try AgentPackage(Self.rpm(architecture: "aarch64"))] {
            let plan = try convert(debian, package: package)
            #expect(plan.isEmpty && plan.warnings.count == 1)
        }
        let installed = try convert(systemd(["/usr/bin/rpm": ""]), package: try AgentPackage(Self.rpm()))
        #expect(installed.isEmpty && installed.findings.map(\.level) == [.note])
    }

    @Test func otherFilesAreNoPackages() throws {
        #expect(throws: AgentPackage.Unreadable.self) { try AgentPackage(Array("hello".utf8)) }
        #expect(throws: AgentPackage.Unreadable.self) { try AgentPackage(Self.rpm(name: "bash")) }
        #expect(throws: AgentPackage.Unreadable.self) { try AgentPackage([]) }
        #expect(throws: AgentPackage.Unreadable.self) {
            try AgentPackage(try Self.debian("Package: bash\nArchitecture: amd64\n"))
        }
    }

    @Test(arguments: [0, 1]) func brokenPackagesDoNotTrap(kind: Int) throws {
        let sample = kind == 0 ? Self.rpm() : try Self.debian(in: nil)
        var random = Seeded(UInt64(kind))
        for length in stride(from: 0, to: sample.count, by: 7) { _ = try? AgentPackage(Array(sample.prefix(length))) }
        for _ in 0..<500 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<min(bytes.count, 400), using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? AgentPackage(bytes)
        }
    }
}

extension String {
    fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
