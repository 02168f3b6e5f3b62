import ArgumentParser
import Converter
import Injectors

/// The support table of the README, from the code.
struct Support: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print which systems convert, and how that is known.", shouldDisplay: false)

    @Option(help: "How the result is printed.") var format = OutputStyle.text

    func run() throws {
        let table = SupportTable()
        switch format {
        case .text: Console.result(table.markdown)
        case .json: Console.result(try JSON.encode(SupportReport(systems: table.rows)))
        }
    }
}

private struct SupportReport: Encodable {
    var schema = "rehost.support/1"
    var systems: [SupportTable.Row]
}
