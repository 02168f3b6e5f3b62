import Guest
import Testing

@testable import Injectors

/// Which of a medium's folders a Windows gets its drivers from.
struct DriverChoiceTests {
    @Test func theBuiltInTableIsWhole() {
        let lines = String(decoding: PackageResources.virtio_win_txt, as: UTF8.self)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
        let table = DriverTable.builtIn
        #expect(table.drivers.count + table.systems.count == lines.count)
        #expect(table.drivers.filter { $0.need == .boot }.map(\.name) == ["viostor", "vioscsi"])
        #expect(table.systems.allSatisfy { !$0.folders.isEmpty })
        #expect(table.system(SampleWindows.server2019)?.folders.first == "2k19")
        #expect(table.system(SampleWindows.windows10)?.name == "Windows 10")
        #expect(table.system(SampleWindows.windows7x86)?.folders == ["w7"])
    }

    @Test func newerBuildsHaveFoldersOfTheirOwn() {
        func folders(_ build: Int, _ type: WindowsVersion.ProductType) -> [String]? {
            let version = WindowsVersion(
                major: 10, minor: 0, build: build, productType: type, architecture: .amd64, name: "")
            return DriverTable.builtIn.system(version)?.folders
        }
        #expect(folders(22631, .client)?.first == "w11")
        #expect(folders(19045, .client)?.first == "w10")
        #expect(folders(14393, .domainController)?.first == "2k16")
        #expect(folders(20348, .server)?.first == "2k22")
        #expect(folders(26100, .server) == ["2k25", "2k22", "2k19", "2k16"])
    }

    @Test func theOrderOfTheISO() throws {
        let choice = try DriverChoice(from: .sampleISO, for: SampleWindows.windows10)
        #expect(choice.chosen.map(\.folder) == ["viostor/w10/amd64", "vioscsi/w10/amd64", "NetKVM/w10/amd64"])
        #expect(choice.chosen[0].files.keys.sorted() == ["viostor.cat", "viostor.sys"])
        // The INF's name for a file counts, whatever its case on the medium.
        #expect(choice.chosen[2].files["netkvmco.exe"] == Array("a program".utf8))
        #expect(choice.missing.map(\.driver.name) == ["balloon", "vioser", "viorng", "pvpanic"])
    }

    @Test func theOrderOfTheRPM() throws {
        let media = DriverMedia(
            "tree",
            [
                "drivers/by-os/amd64/w10/viostor.inf": SampleINF.viostor,
                "drivers/by-os/amd64/w10/viostor.sys": "by-os", "drivers/by-os/amd64/w10/viostor.cat": "",
                "drivers/by-os/i386/w10/viostor.inf": SampleINF.viostor,
                "drivers/by-os/ARM64/w10/viostor.inf": SampleINF.viostor,
            ])
        let choice = try DriverChoice(from: media, for: SampleWindows.windows10)
        #expect(choice.chosen.map(\.folder) == ["drivers/by-os/amd64/w10"])
    }

    @Test func aFolderOfOnePackage() throws {
        let media = DriverMedia(
            "folder", ["VIOSTOR.INF": SampleINF.viostor, "viostor.sys": "it", "viostor.cat": ""])
        let choice = try DriverChoice(from: media, for: SampleWindows.server2019)
        #expect(choice.chosen.map(\.folder) == [""])
    }

    @Test func whatIsMissingIsNamedWithWhatIsThere() throws {
        let choice = try DriverChoice(from: .sampleISO, for: SampleWindows.windows7x86)
        #expect(choice.chosen.isEmpty)
        let viostor = try #require(choice.missing.first)
        #expect(
            viostor.reason
                == "no viostor.inf for Windows 7 Professional (x86), which would be in 'w7/x86'; there are"
                + " viostor/2k19/amd64, viostor/w10/amd64, viostor/w10/x86")
        #expect(choice.missing.first { $0.driver.name == "balloon" }?.reason.contains("none at all") == true)
    }

    @Test func aFileThatIsMissingIsNamed() throws {
        var files = DriverMedia.sampleFiles
        files["viostor/w10/amd64/viostor.cat"] = nil
        let choice = try DriverChoice(from: DriverMedia("x", files), for: SampleWindows.windows10)
        #expect(
            choice.missing.contains { $0.reason == "'viostor/w10/amd64/viostor.inf' lacks viostor.cat, which it names" }
        )
    }

    @Test func aDamagedINFLeavesItsDriverOut() throws {
        var files = DriverMedia.sampleFiles
        files["NetKVM/w10/amd64/netkvm.inf"] = "[Version"
        let choice = try DriverChoice(from: DriverMedia("x", files), for: SampleWindows.windows10)
        #expect(choice.chosen.map(\.driver.name) == ["viostor", "vioscsi"])
        #expect(choice.missing.first?.reason.hasPrefix("'NetKVM/w10/amd64/netkvm.inf': ") == true)
    }
}
