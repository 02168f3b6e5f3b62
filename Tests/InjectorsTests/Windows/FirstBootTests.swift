import Guest
import GuestTesting
import Testing

@testable import Injectors

struct FirstBootTests {
    /// Asks for steps, as other injectors do.
    private struct Asking: Injector {
        let name = "asking"
        let steps: [FirstBootStep]
        func applies(to guest: Inspection) -> Bool { true }
        func inject(into draft: inout Draft, guest: Inspection) throws {
            for step in steps { draft.atFirstBoot(step) }
        }
    }

    private let steps = [
        FirstBootStep("one", purpose: "does one", commands: ["exit /b 1"]),
        FirstBootStep("two", purpose: "does two", commands: ["type two.txt"], files: ["two.txt": Array("2".utf8)]),
    ]

    @Test func nothingToDoIsNothingDone() throws {
        #expect(try WindowsGuest().plan(FirstBoot()).isEmpty)
    }

    @Test func aServiceStartsTheScriptInEveryControlSet() throws {
        let sample = WindowsGuest(controlSets: ["ControlSet001", "ControlSet002"])
        let (_, second) = try sample.apply(Asking(steps: steps), FirstBoot())
        #expect(second.isEmpty)
        for set in sample.windows.controlSets {
            let key = sample.key(set + #"\Services\rehost-firstboot"#)
            #expect(try sample.guest.value("Start", of: key) == .dword(2))
            #expect(try sample.guest.value("ErrorControl", of: key) == .dword(0))
            #expect(
                try sample.guest.value("ImagePath", of: key)
                    == .expandString(
                        #"%SystemRoot%\System32\cmd.exe /c start "" /b %SystemRoot%\System32\cmd.exe"#
                            + #" /c %SystemRoot%\rehost\firstboot.cmd"#))
        }
        #expect(try sample.guest.text("/Windows/rehost/two.txt") == "2")
    }

    @Test func theScriptDisablesItselfBeforeItDoesAnything() throws {
        let sample = WindowsGuest()
        _ = try sample.apply(Asking(steps: steps), FirstBoot())
        let bytes = try sample.guest.contents(ofFile: "/Windows/rehost/firstboot.cmd")
        let script = String(decoding: bytes, as: UTF8.self)
        #expect(bytes.allSatisfy { $0 < 0x80 })
        #expect(!script.replacing("\r\n", with: "").contains("\n"), "lines of Windows")
        let lines = script.split(separator: "\r\n").map(String.init)
        func place(_ text: String) throws -> Int { try #require(lines.firstIndex { $0.contains(text) }, "\(text)") }
        #expect(try place("/v Start /t REG_DWORD /d 4") < place("if exist firstboot.done exit"))
        #expect(try place("if not exist firstboot.done exit") < place("cmd.exe /c one.cmd"))
        // One step's failure, or its exit, isn't the next one's.
        #expect(try place("cmd.exe /c one.cmd") < place("cmd.exe /c two.cmd"))
    }

    @Test func driversThatAreNotNeededForStartingAreAskedFor() throws {
        let sample = WindowsGuest()
        sample.registry.put(sample.key("DriverDatabase"))
        sample.registry.put(RegistryPath(sample.windows.drivers, "DriverDatabase"))
        let (_, second) = try sample.apply(VirtioDrivers(media: .sampleISO, diskDriver: "viostor"), FirstBoot())
        #expect(second.isEmpty)
        let script = try #require(try sample.guest.text("/Windows/rehost/drivers.cmd"))
        let calls = script.split(separator: "\r\n").filter { $0.hasPrefix("call :install") }
        #expect(!calls.isEmpty)
        for call in calls {
            // Each is a file that is there.
            let path = call.split(separator: "\"")[1].replacing("%SystemRoot%\\", with: "/Windows/")
                .replacing("\\", with: "/")
            #expect(try sample.guest.exists(GuestPath(String(path))), "\(path)")
        }
        #expect(!script.contains("viostor"))
    }

    @Test func theAgentOfWindowsIsInstalledFromItsMSI() throws {
        let magic: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
        let bytes = magic + Array("x64;1033 QEMU guest agent".utf8)
        let package = try AgentPackage(bytes)
        let sample = WindowsGuest()
        let (plan, _) = try sample.apply(WindowsGuestAgent(package: package), FirstBoot())
        #expect(plan.warnings.isEmpty)
        #expect(try sample.guest.contents(ofFile: "/Windows/rehost/qemu-ga.msi") == bytes)
        #expect(try sample.guest.text("/Windows/rehost/guest-agent.cmd")?.contains(#"/i "%~dp0qemu-ga.msi""#) == true)
        sample.registry.put(sample.control(#"Services\QEMU-GA"#), ["Start": .dword(2)])
        #expect(try sample.plan(WindowsGuestAgent(package: package)).findings.map(\.level) == [.note])
        #expect(throws: AgentPackage.Unreadable.self) { try AgentPackage(magic + Array("x64;1033 Other".utf8)) }
    }
}
