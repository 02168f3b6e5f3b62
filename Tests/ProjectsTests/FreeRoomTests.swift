import Testing

@testable import Projects

struct FreeRoomTests {
    @Test func whatIsMissingIsTold() throws {
        #expect(try FreeRoom.missing(1, in: "/tmp") == nil)
        let free = try #require(try FreeRoom.missing(.max, in: "/tmp"))
        #expect(free < .max)
        #expect(throws: (any Error).self) { try FreeRoom.missing(1, in: "/tmp/is/not/there") }
    }
}
