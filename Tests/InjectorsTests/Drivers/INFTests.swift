import Guest
import GuestTesting
import Testing

@testable import Injectors

/// INF files as Windows reads them.
struct INFTests {
    @Test func sectionsOfOneNameAreOne() throws {
        let inf = try INFFile(
            Array("[Version]\nClass = Net\r\n; a comment\n[Other]\n[VERSION]\nProvider = \"A; B\" ; said so\n".utf8))
        #expect(inf.value("class", in: "version") == "Net")
        #expect(inf.value("Provider", in: "Version") == "A; B")
    }

    @Test func stringsArePutIn() throws {
        let inf = try INFFile(
            Array(
                #"""
                [A]
                %Name% = "%name%, Ltd", 100%%, %missing%, %12%\x.sys
                [Strings]
                NAME = "Red ""Hat"""
                """#.utf8))
        let line = try #require(inf.lines("a").first)
        #expect(line.key == "Red \"Hat\"")
        #expect(line.rawKey == "%Name%")
        #expect(line.values == ["Red \"Hat\", Ltd", "100%", "%missing%", "%12%\\x.sys"])
    }

    @Test func longLinesGoOn() throws {
        let inf = try INFFile(Array("[A]\nfiles = a, \\\n   b, \\\n c\n".utf8))
        #expect(inf.line("files", in: "A")?.values == ["a", "b", "c"])
    }

    @Test func utf16IsRead() throws {
        let text = "[Version]\r\nProvider = \"Prüf\"\r\n"
        let little: [UInt8] = [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let big: [UInt8] = [0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        #expect(try INFFile(little).value("Provider", in: "Version") == "Prüf")
        #expect(try INFFile(big).value("Provider", in: "Version") == "Prüf")
        #expect(try INFFile([0xEF, 0xBB, 0xBF] + Array(text.utf8)).value("Provider", in: "Version") == "Prüf")
    }

    @Test func whatIsTooLargeIsRefused() {
        #expect(throws: INFFile.Malformed.self) { try INFFile([UInt8](repeating: 32, count: 5 << 20)) }
        #expect(throws: INFFile.Malformed.self) { try INFFile([UInt8](repeating: 10, count: 1 << 20)) }
        #expect(throws: INFFile.Malformed.self) { try INFFile(Array("[Version\n".utf8)) }
    }

    @Test func targetsAreChosenByWindows() throws {
        let ten = SampleWindows.windows10
        #expect(try #require(INFTarget("NTamd64")).fits(ten))
        #expect(try #require(INFTarget("ntAMD64.10.0...16299")).fits(ten))
        #expect(try !#require(INFTarget("NTamd64.10.0...30000")).fits(ten))
        #expect(try !#require(INFTarget("NTx86.6.1")).fits(ten))
        #expect(try !#require(INFTarget("NT")).fits(ten))
        #expect(try !#require(INFTarget("NTamd64.6.1.3")).fits(ten))
        #expect(try #require(INFTarget("NTamd64.6.1.1")).fits(ten))
        #expect(INFTarget("Win95") == nil)
        #expect(INFTarget("NTmips") == nil)
        #expect(INFTarget("NTamd64.Services") == nil)
        #expect(try #require(INFTarget("NTamd64.6.1")) < #require(INFTarget("NTamd64.10.0")))
    }
}

/// What becomes of a driver's INF.
struct DriverPackageTests {
    @Test func aStorageDriver() throws {
        let package = try DriverPackage(inf: "viostor.inf", Array(SampleINF.viostor.utf8), for: SampleWindows.windows10)
        #expect(package.classID == GUID("4D36E97B-E325-11CE-BFC1-08002BE10318"))
        #expect(package.provider == "Sample")
        // 2021-11-04 is 153,709 days after 1601-01-01.
        #expect(package.date == 153_709)
        #expect(package.version == [100, 90, 104, 21500])
        #expect(package.catalog == "viostor.cat")
        #expect(
            package.devices.map(\.id) == [
                #"PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00"#, #"PCI\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01"#,
                #"PCI\VEN_1AF4&DEV_1042"#,
            ])
        #expect(package.devices.map(\.isHardwareID) == [true, true, false])
        #expect(Set(package.devices.map(\.section)) == ["rhelscsi_inst"])
        #expect(package.devices[0].description == "%rhelscsi.devicedesc%")
        #expect(package.strings["rhelscsi.devicedesc"] == "Sample VirtIO SCSI controller")
        let configuration = try #require(package.configurations.first)
        #expect(configuration.files == [.init(source: "viostor.sys", directory: 13, name: "viostor.sys")])
        let service = try #require(configuration.service)
        #expect(service.name == "viostor")
        #expect((service.type, service.start, service.errorControl) == (1, 0, 1))
        #expect(service.group == "SCSI miniport")
        #expect(service.binary == .init(directory: 13, name: "viostor.sys"))
        #expect(service.values.contains(DriverPackage.Setting(key: "Parameters", value: .init("BusType", .dword(1)))))
        #expect(
            service.values.contains(
                DriverPackage.Setting(key: #"Parameters\PnpInterface"#, value: .init("5", .dword(1)))))
        #expect(package.fileNames == ["viostor.sys", "viostor.cat"])
    }

    @Test func oneForAnotherWindowsIsRefused() {
        let bytes = Array(SampleINF.viostor.utf8)
        #expect(throws: INFFile.Malformed.self) {
            try DriverPackage(inf: "viostor.inf", bytes, for: SampleWindows.windows7x86)
        }
    }

    @Test func decoratedInstallationSectionsAreTaken() throws {
        let package = try DriverPackage(inf: "netkvm.inf", Array(SampleINF.netkvm.utf8), for: SampleWindows.windows10)
        let configuration = try #require(package.configurations.first)
        #expect(configuration.name == "kvmnet6.ndi.NTamd64")
        #expect(package.devices.first?.section == configuration.name)
        #expect(configuration.files.map(\.name) == ["netkvm.sys", "netkvmco.exe"])
        #expect(
            configuration.driver.contains(
                DriverPackage.Setting(key: #"Ndi\Params\MTU"#, value: .init("Default", .string("1500")))))
        #expect(configuration.service?.eventLog.isEmpty == false)
    }

    @Test(arguments: [
        "", "[Version]\nSignature=\"$Windows NT$\"\n",
        "[Version]\nSignature=x\nClassGUID={4D36E97B-E325-11CE-BFC1-08002BE10318}\n",
        "[Version]\nSignature=\"$Windows NT$\"\nClassGUID={4D36E97B}\n",
    ])
    func whatIsNoDriverIsRefused(_ text: String) {
        #expect(throws: INFFile.Malformed.self) {
            try DriverPackage(inf: "x.inf", Array(text.utf8), for: SampleWindows.windows10)
        }
    }

    @Test func aCatalogThatLeadsElsewhereIsRefused() {
        let text = SampleINF.viostor.replacing("CatalogFile=viostor.cat", with: #"CatalogFile="..\..\evil.cat""#)
        #expect(throws: INFFile.Malformed.self) {
            try DriverPackage(inf: "viostor.inf", Array(text.utf8), for: SampleWindows.windows10)
        }
    }

    /// Damaged INFs: an error, or a package whose files all stay in their folders.
    @Test func mutants() {
        let violations = Mutation.run(
            "inf", texts: [SampleINF.viostor, SampleINF.netkvm],
            tokens: [
                "[Version]", "CopyFiles=", "@", "%", "\\", "..\\", "NTamd64.10.0", "HKR,", "0x00010001", "[Strings]",
            ]
        ) { text in
            let package = try DriverPackage(inf: "x.inf", Array(text.utf8), for: SampleWindows.windows10)
            for name in package.fileNames { #expect(!name.contains { $0 == "/" || $0 == "\\" }) }
        }
        #expect(violations == [])
    }

    @Test func aFileThatIsNamedAloneStaysInItsFolder() throws {
        let text = SampleINF.viostor.replacing(
            "CopyFiles = viostor_copy", with: #"CopyFiles = @..\evil.sys, @viostor.sys"#)
        let package = try DriverPackage(inf: "viostor.inf", Array(text.utf8), for: SampleWindows.windows10)
        #expect(package.configurations.first?.files.map(\.name) == ["viostor.sys"])
    }

    @Test func aFileThatLeadsElsewhereIsNotTaken() throws {
        let text = SampleINF.viostor.replacing(
            "[viostor_copy]\nviostor.sys", with: "[viostor_copy]\n..\\..\\evil.sys")
        let package = try DriverPackage(inf: "viostor.inf", Array(text.utf8), for: SampleWindows.windows10)
        #expect(package.configurations.first?.files.isEmpty == true)
    }
}
