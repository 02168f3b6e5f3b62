import Guest
import Testing

@testable import Descriptions

struct ConvertedMachineTests {
    @Test func withoutASourceThereAreDefaults() {
        let machine = ConvertedMachine.sample()
        #expect(machine.memoryMiB == 2048 && machine.knownMemoryMiB == nil)
        #expect(machine.processors == 2 && machine.topology == nil)
        #expect(machine.networkCards == [.init()])
        #expect(machine.name == "web01" && !machine.hasGuestAgent)
    }

    @Test func theSourceCounts() {
        let machine = ConvertedMachine.sample(from: .sample, tools: ["qemu-guest-agent"])
        #expect(machine.memoryMiB == 6144 && machine.processors == 8)
        #expect(machine.topology == .init(sockets: 2, coresPerSocket: 4))
        // An address of a group is no card's; the network stays, the model doesn't.
        #expect(machine.networkCards.map(\.mac) == ["00:50:56:aa:bb:01", "00:50:56:aa:bb:02", nil])
        #expect(machine.networkCards.allSatisfy { $0.model == nil })
        #expect(machine.hasGuestAgent)
        #expect(machine.vmwareGuestSystem == "debian12_64Guest")
    }

    @Test func aSourceWithoutCardsHasNone() {
        #expect(ConvertedMachine.sample(from: MachineDescription(name: "x")).networkCards.isEmpty)
    }

    @Test func nonsenseIsNotTakenOver() {
        var source = MachineDescription.sample
        source.name = " \u{1}\n\u{202E}\t "
        source.memory = .max
        source.processors = -1
        source.topology = .init(sockets: .max, coresPerSocket: .max, threadsPerCore: .max)
        source.networkCards = [
            "", "x", "00:50:56:aa:bb", "00:00:00:00:00:00", "00:50:56:aa:bb:0g", "+0:50:56:aa:bb:01",
        ]
        .map { .init(mac: $0) }
        let machine = ConvertedMachine.sample(from: source)
        #expect(machine.memoryMiB == 2048 && machine.processors == 2 && machine.topology == nil)
        #expect(machine.networkCards.allSatisfy { $0.mac == nil })
        source.memory = 0
        source.processors = 6
        source.topology = .init(sockets: 2, coresPerSocket: 4)
        #expect(ConvertedMachine.sample(from: source).topology == nil)
    }

    @Test func aNameIsALineOfText() {
        #expect(ConvertedMachine.sample(name: " a\u{0}\r\n  b\u{85}c ").name == "a bc")
        #expect(ConvertedMachine.sample(name: "\n").name == "guest")
        #expect(ConvertedMachine.sample(name: String(repeating: "x", count: 9999)).name.count == 255)
    }

    @Test func theBootDiskIsTheFirst() {
        let machine = ConvertedMachine.sample(disks: 4, boot: 2)
        #expect((0..<4).map(machine.bootOrder) == [2, 3, 1, 4])
    }
}
