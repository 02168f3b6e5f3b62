import Guest
import GuestTesting
import Testing

@testable import Injectors

struct DataDisksTests {
    private func sample(_ letters: [String: DriveLetters.Place], pagingFiles: [String] = []) -> WindowsGuest {
        var sample = WindowsGuest()
        for (letter, place) in letters {
            sample.registry.put(
                sample.key("MountedDevices"), [#"\DosDevices\"# + letter + ":": .binary(place.bytes)])
        }
        sample.registry.put(
            sample.control(#"Control\Session Manager\Memory Management"#), ["PagingFiles": .multiString(pagingFiles)])
        var sector = [UInt8](repeating: 0, count: 512)
        sector.replaceSubrange(0x1B8..<0x1BC, with: [0x78, 0x56, 0x34, 0x12])
        sector.replaceSubrange(510..<512, with: [0x55, 0xAA])
        sector = MBR.adding(.init(type: 7, isActive: true, firstSector: 2048, sectorCount: 4096), at: 0, to: sector)
        sample.disks = [
            GuestDisk(
                index: 0, device: "/dev/sda", size: 1 << 30, table: MBR(sector: sector).map { .mbr($0) } ?? .none,
                hasBootCode: true)
        ]
        return sample
    }

    @Test func allDisksGoOnline() throws {
        let sample = sample([:])
        let key = sample.control(#"Services\partmgr\Parameters"#)
        sample.registry.put(key, ["SanPolicy": .dword(2)])
        let (plan, second) = try sample.apply(DataDisks())
        #expect(second.isEmpty && plan.items.count == 1)
        #expect(plan.formerSettings.map(\.values) == [["SanPolicy": ["2"]]])
        #expect(try sample.guest.value("SanPolicy", of: key) == .dword(1))
    }

    @Test func lettersOfPartitionsThatAreThereAreNoNews() throws {
        let there = DriveLetters.Place.mbr(signature: 0x1234_5678, offset: 2048 * 512)
        #expect(try sample(["C": there], pagingFiles: [#"C:\pagefile.sys 0 0"#]).plan(DataDisks()).findings.isEmpty)
    }

    @Test func vanishedDisksAreTold() throws {
        let gone = DriveLetters.Place.mbr(signature: 1, offset: 2048 * 512)
        let plan = try sample(["D": gone], pagingFiles: [#"D:\pagefile.sys 0 0"#]).plan(DataDisks())
        #expect(plan.isEmpty)
        #expect(plan.findings.map(\.level) == [.note, .warning])
        let id = GUID("099f1f21-7faf-44a9-81d8-1e73c14b9eaf")
        #expect(try sample(["D": .gpt(id)]).plan(DataDisks()).findings.map(\.level) == [.note])
    }

    @Test func placesReadAsTheyAreWritten() {
        for place in [DriveLetters.Place.mbr(signature: 7, offset: 1 << 40), .gpt(GPT.efiSystem)] {
            #expect(DriveLetters.Place(place.bytes) == place)
        }
        // As a real guest has it.
        let bytes: [UInt8] = [
            0x44, 0x4D, 0x49, 0x4F, 0x3A, 0x49, 0x44, 0x3A, 0x21, 0x1F, 0x93, 0x09, 0xAF, 0x7F, 0xA9, 0x44, 0x81, 0xD8,
            0x1E, 0x73, 0xC1, 0x4B, 0x9E, 0xAF,
        ]
        #expect(DriveLetters.Place(bytes) == .gpt(GUID("09931f21-7faf-44a9-81d8-1e73c14b9eaf")))
        #expect(DriveLetters.Place(Array("USBSTOR#Disk".utf8) + [0]) == nil)
    }
}
