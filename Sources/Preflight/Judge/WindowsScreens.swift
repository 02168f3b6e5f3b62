internal import Foundation

/// Windows' own failures, as they look on the screen.
enum WindowsScreens {
    /// Words of the recovery environment and of the boot manager's error screens, Windows 7 to 11.
    private static let recovery = [
        "needs to be repaired", "Automatic Repair", "Startup Repair", "Windows Error Recovery",
        "Windows failed to start", "couldn't load correctly", "did not load correctly", "Recovery Environment",
        "Boot Configuration Data", "Turn off your PC", "repair your computer", "repair your PC",
    ]

    /// - Parameters:
    ///   - isStopScreen: its colours are those of a stop screen.
    ///   - isStable: it has been the same for some seconds; a setup's blue passes.
    static func failure(lines: [String], isStopScreen: Bool, isStable: Bool) -> Failure? {
        let text = lines.joined(separator: " ")
        if recovery.contains(where: { text.localizedCaseInsensitiveContains($0) }) {
            let code = errorCode(in: text).map { " (error code \($0))" } ?? ""
            return Failure(
                .recoveryScreen, "Windows shows its recovery screen\(code)", remedy: Remedies.recovery, settle: 4)
        }
        let isStopText = text.contains("*** STOP:") || text.localizedCaseInsensitiveContains("stop code")
        guard isStopText || isStopScreen && isStable else { return nil }
        let code = StopCode.find(in: lines)
        let number = code?.number.map { "0x" + String($0, radix: 16, uppercase: true) }
        let words = [number, code?.name].compactMap { $0 }.joined(separator: " ")
        // Without a word to read, the colour alone accuses nobody.
        guard isStopText || code != nil || lines.isEmpty else { return nil }
        return Failure(
            .blueScreen,
            words.isEmpty ? "a blue stop screen, its code could not be read" : "Windows' stop screen: \(words)",
            remedy: Remedies.blueScreen, settle: 4)
    }

    /// "0xc000000e"; optical recognition takes zeros for letters.
    private static func errorCode(in text: String) -> String? {
        guard let start = text.range(of: "0xc", options: .caseInsensitive) else { return nil }
        let digits = text[start.upperBound...].lowercased().prefix { $0.isLetter || $0.isNumber }
            .map { "oq".contains($0) ? "0" : "il".contains($0) ? "1" : $0 }
        guard digits.count >= 7, digits.allSatisfy(\.isHexDigit) else { return nil }
        return "0xc" + String(digits.prefix(7))
    }
}
