/// Which systems convert, and how that is known: the table of the README.
public struct SupportTable: Sendable {
    public struct Row: Equatable, Sendable, Encodable {
        public var family: String
        public var system: String
        public var versions: String
        /// "boot", "fixture" or "expected".
        public var level: String
        /// Folders in Tests/Fixtures/guests.
        public var fixtures: [String]
        /// The guest that was booted after a conversion.
        public var booted: String?
    }

    public let rows: [Row]

    public init() {
        rows = (LinuxFamily.all + [LinuxFamily.generic]).flatMap { family in
            family.systems.map { system in
                var row = Row(
                    family: family.name, system: system.name, versions: system.versions, level: "expected",
                    fixtures: [])
                switch system.evidence {
                case .boot(let guest):
                    row.level = "boot"
                    row.booted = guest
                case .fixture(let folders):
                    row.level = "fixture"
                    row.fixtures = folders
                case .expected: break
                }
                return row
            }
        }
    }

    public var markdown: String {
        let header = "| system | versions | known by | what was seen |\n|---|---|---|---|\n"
        return header
            + rows.map { row in
                "| \(row.system) | \(row.versions) | \(row.level) | "
                    + (row.booted ?? row.fixtures.map { "`\($0)`" }.joined(separator: ", ")) + " |\n"
            }.joined()
    }
}
