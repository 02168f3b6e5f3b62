import Testing

@testable import Preflight

struct StopCodeTests {
    @Test(arguments: [
        "Stop code: INACCESSIBLE_BOOT_DEVICE", "Stop code: INACCESSIBLE _ BOOT DEVICE",
        "stop code; 1NACCESSIBLE BOOT DEV|CE", "*** STOP: 0x0000007B (0xFFFFF880009A9928,0xFFFFFFFFC0000034)",
        "*** STOP: Ox0000007B (", "STOP: OxOOOOOO7B", "INACCESSIBLE_BOOT_DEVICE", "Stop code: 0x7b",
        "(INACCESSIBLE_BOOT_DEVICE)",
    ])
    func findsTheBootDevice(line: String) {
        let expected = StopCode(name: "INACCESSIBLE_BOOT_DEVICE", number: 0x7B)
        #expect(
            StopCode.find(in: ["A problem has been detected and Windows has been shut down", line, "x"]) == expected)
    }

    @Test func findsNumbersAndNamesOutsideOfTheTable() {
        #expect(StopCode.find(in: ["*** STOP: 0x000000AB (0x1)"]) == StopCode(name: nil, number: 0xAB))
        #expect(
            StopCode.find(in: ["Stop code: THREAD_STUCK IN DEVICE_DRIVER (0xEA)"])
                == StopCode(name: "THREAD_STUCK_IN_DEVICE_DRIVER", number: nil))
        #expect(StopCode.find(in: ["STOP: c000021a {Fatal System Error}"])?.number == 0xC000_021A)
    }

    @Test func takesTheLongerOfTwoNames() {
        #expect(StopCode.find(in: ["DRIVER_IRQL_NOT_LESS_OR_EQUAL"])?.number == 0xD1)
        #expect(StopCode.find(in: ["IRQL_NOT_LESS_OR_EQUAL"])?.number == 0x0A)
        #expect(StopCode.find(in: ["SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", "More"])?.number == 0x7E)
        #expect(StopCode.find(in: ["*** STOP: 0x1000007E"])?.name == "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M")
    }

    @Test func readsANameOverTwoLines() {
        #expect(StopCode.find(in: ["What failed: UNMOUNTABLE_BOOT_", "VOLUME"])?.number == 0xED)
    }

    @Test func otherTextHasNone() {
        let lines = [
            "", "[  OK  ] Stopped target Timers.", "Stop: the service", "STOP", "stop code:", "web01 login:", "STOP:",
            "https://www.windows.com/stopcode", "Stop code: 0x", "STOP: 0x123456789", "STOP: now", "0x7B",
        ]
        for line in lines { #expect(StopCode.find(in: [line]) == nil, "\(line)") }
        #expect(StopCode.find(in: lines) == nil && StopCode.find(in: []) == nil)
    }

    @Test func bearsWithLongText() {
        let line = String(repeating: "STOP ", count: 100_000)
        #expect(StopCode.find(in: Array(repeating: line, count: 1000)) == nil)
        #expect(StopCode.find(in: ["ßßß stop code: 0x7E", "ﬁ"])?.number == 0x7E)
    }

    @Test func namesAreUnique() {
        #expect(Set(StopCode.names.values).count == StopCode.names.count)
    }
}
