import Foundation
import Testing

@testable import Preflight

struct ScreenReadingTests {
    @Test func prefersTheVideoMemory() {
        var fixture = TextModeFixture()
        fixture.write("No bootable device.", row: 1)
        let bitmap = fixture.picture(start: 0).bitmap
        let reader = GlyphReader(fonts: [])
        let reading = ScreenReading(bitmap: bitmap, memory: fixture.memory, reader: reader)
        #expect(reading == ScreenReading(lines: ["", "No bootable device."], method: .textMode))
        let without = ScreenReading(bitmap: bitmap, memory: nil, reader: reader)
        #expect(without == ScreenReading(lines: [], method: .none))
    }

    /// Stands in for the program: a script that is only looked for, never run.
    private func recognition(_ output: String?) throws -> TesseractReader {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let program = directory.appendingPathComponent("tesseract").path
        #expect(FileManager.default.createFile(atPath: program, contents: nil, attributes: [.posixPermissions: 0o755]))
        return TesseractReader(
            run: { path, arguments in
                #expect(path == program && arguments.dropFirst().first == "stdout")
                #expect(FileManager.default.contents(atPath: arguments[0])?.starts(with: [0x89, 0x50]) == true)
                guard let output else { throw CancellationError() }
                return Data(output.utf8)
            }, path: "/nowhere:\(directory.path)")
    }

    @Test func asksForRecognitionOnlyWhenNothingElseReads() async throws {
        var screen = DrawnScreen(width: 640, height: 480, colour: 0x0078D7)
        let none = ScreenReading(lines: [], method: .none)
        #expect(await none.completed(by: try recognition("x"), bitmap: screen.bitmap) == none)
        screen.fill(x: 100, y: 100, width: 60, height: 7, colour: 0xFFFFFF)
        let read = await none.completed(by: try recognition(" :(\n\nStop\u{1B}[2J code\n"), bitmap: screen.bitmap)
        #expect(read == ScreenReading(lines: [":(", "Stop[2J code"], method: .recognition))
        #expect(await none.completed(by: try recognition(nil), bitmap: screen.bitmap) == none)
        let text = ScreenReading(lines: ["login:"], method: .glyphs)
        #expect(await text.completed(by: try recognition("x"), bitmap: screen.bitmap) == text)
        let missing = TesseractReader(run: { _, _ in Data() }, path: "/nowhere")
        #expect(await missing.read(screen.bitmap) == nil)
    }

    @Test func preparesDarkTextOnLightGround() {
        var screen = DrawnScreen(width: 3, height: 2, colour: 0x0078D7)
        screen.pixels[1] = 0xFFFFFF
        let prepared = TesseractReader.prepared(screen.bitmap)
        #expect(prepared.width == 6 && prepared.height == 4 && prepared.pixels.count == 24)
        #expect(prepared.pixels[2] < prepared.pixels[0] && prepared.pixels[23] > 128)
        let large = TesseractReader.prepared(DrawnScreen(width: 2000, height: 1100).bitmap)
        #expect(large.width == 2000 && large.pixels.allSatisfy { $0 == 255 })
    }

    @Test func boundsWhatRecognitionSays() {
        let endless = Data(String(repeating: "x\n", count: 1 << 20).utf8)
        #expect(TesseractReader.lines(endless).count == 500)
        #expect(TesseractReader.lines(Data([0xFF, 0x0A, 0x0C])).count <= 1)
    }

    @Test(arguments: [0x0078D7, 0x0000AA, 0x000080, 0x107BB4, 0x0A72D0] as [UInt32])
    func knowsTheBlueOfStopScreens(colour: UInt32) {
        var screen = DrawnScreen(width: 1024, height: 768, colour: colour)
        screen.fill(x: 100, y: 200, width: 700, height: 200, colour: 0xFFFFFF)
        #expect(ScreenColour.isStopScreen(screen.bitmap))
    }

    @Test func otherScreensAreNotStopScreens() {
        #expect(!ScreenColour.isStopScreen(DrawnScreen(width: 640, height: 480).bitmap))
        #expect(!ScreenColour.isStopScreen(DrawnScreen(width: 640, height: 480, colour: 0x0000FF).bitmap))
        // GRUB's menu: a blue box within a black border.
        var menu = DrawnScreen(width: 800, height: 600)
        menu.fill(x: 18, y: 20, width: 760, height: 560, colour: 0x0000AA)
        #expect(!ScreenColour.isStopScreen(menu.bitmap))
    }
}
