public import Foundation
internal import GRDB
public import Replicator

/// What this host knows of stores: their points' records, which never change, so that a list costs one look at a store and
/// not one at each point; and what was seen last, for when a store is out of reach. All of it can be had from the stores again.
public struct Catalogue: Sendable {
    private let database: DatabaseQueue
    private let path: String

    /// One point of a list.
    public struct Entry: Sendable {
        public var point: RecoveryPoint
        public var history: PointHistory
        public var isDamaged: Bool

        public init(point: RecoveryPoint, history: PointHistory, isDamaged: Bool) {
            self.point = point
            self.history = history
            self.isDamaged = isDamaged
        }
    }

    /// A store as it was seen last.
    public struct Seen: Sendable {
        public var location: String
        public var time: Date
        public var entries: [Entry]
    }

    public struct Failure: Error, CustomStringConvertible {
        var path: String
        var reason: String
        /// Whether it is no database any more.
        var isBroken = false
        public var description: String {
            let hint =
                isBroken
                ? "'rehost points STORE --rebuild' makes it anew; nothing is in it that the stores don't have"
                : "is it another user's, or on a file system that is full or read-only? XDG_STATE_HOME names another place"
            return "could not use the catalogue '\(path)': \(reason)\nhint: \(hint)"
        }
    }

    /// Under XDG_STATE_HOME (https://specifications.freedesktop.org/basedir-spec).
    public static var usualPath: String {
        let environment = ProcessInfo.processInfo.environment
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (state ?? NSHomeDirectory() + "/.local/state") + "/rehost/catalogue.sqlite"
    }

    /// - Throws: ``Failure``
    public init(_ path: String = Catalogue.usualPath) throws {
        self.path = path
        do {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            // The records of an encrypted store are readable in it.
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            var configuration = Configuration()
            configuration.busyMode = .timeout(10)
            configuration.journalMode = .wal
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            // SQLite's other files get the rights of this one.
            if !FileManager.default.fileExists(atPath: path) {
                _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            database = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrator.migrate(database)
        } catch {
            let codes: [ResultCode] = [.SQLITE_NOTADB, .SQLITE_CORRUPT]
            let isBroken = (error as? DatabaseError).map { codes.contains($0.resultCode) } ?? false
            throw Failure(path: path, reason: "\(error)", isBroken: isBroken)
        }
    }

    /// A file that SQLite can't use goes: nothing is in it that the stores don't have.
    /// - Throws: ``Failure``
    public static func removeIfBroken(_ path: String = Catalogue.usualPath) throws {
        do { _ = try Catalogue(path) } catch let failure as Failure where failure.isBroken {
        } catch { return }
        guard (try? Catalogue(path)) == nil else { return }
        do {
            for ending in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + ending) {
                try FileManager.default.removeItem(atPath: path + ending)
            }
        } catch { throw Failure(path: path, reason: error.localizedDescription) }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS store (id TEXT PRIMARY KEY, location TEXT NOT NULL, seen REAL NOT NULL) STRICT;
                    CREATE TABLE IF NOT EXISTS point (
                        store TEXT NOT NULL REFERENCES store(id) ON DELETE CASCADE, object TEXT NOT NULL,
                        machine TEXT NOT NULL, record BLOB NOT NULL, history BLOB, damaged INTEGER NOT NULL,
                        PRIMARY KEY (store, object)) STRICT;
                    """)
        }
        return migrator
    }

    /// A store's points as they are now, oldest first.
    /// - Throws: ``Failure``, ``Replicator/StoreError``
    public func points(in repository: Repository, at location: String, machine: String? = nil) async throws -> [Entry] {
        let store = repository.settings.id
        let entries = try await Self.entries(of: repository, machine: machine, known: records(of: store))
        try await keep(entries, of: store, location, machine)
        return entries
    }

    /// Without a catalogue, or with what one knew.
    /// - Throws: ``Replicator/StoreError``
    public static func entries(
        of repository: Repository, machine: String? = nil, known: [String: RecoveryPoint] = [:]
    ) async throws -> [Entry] {
        let points = try await repository.points(of: machine, known: known)
        if points.isEmpty, let machine { _ = try await repository.knownPoints(of: machine) }
        var entries: [Entry] = []
        for (name, points) in Dictionary(grouping: points, by: \.machine) {
            let history = try await repository.history(of: name)
            entries += points.map {
                // What a list knows of damage is what a verification found; 'prune' looks for itself.
                let known = history[$0.id] ?? PointHistory()
                return Entry(point: $0, history: known, isDamaged: known.verified?.isGood == false)
            }
        }
        return entries.sorted { ($0.point.time, $0.point.id) < ($1.point.time, $1.point.id) }
    }

    /// Forgets a store; the next list reads every record of it.
    public func forget(_ repository: Repository) async throws {
        let store = repository.settings.id
        try await write { try $0.execute(sql: "DELETE FROM store WHERE id = ?", arguments: [store]) }
    }

    /// Every store, without a look at it.
    public func all() async throws -> [Seen] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT id, location, seen FROM store ORDER BY location").map { row in
                let rows = try Row.fetchAll(
                    database, sql: "SELECT record, history, damaged FROM point WHERE store = ?", arguments: [row["id"]])
                let entries = rows.compactMap { Self.entry($0) }
                return Seen(
                    location: row["location"], time: Date(timeIntervalSince1970: row["seen"]),
                    entries: entries.sorted { ($0.point.time, $0.point.id) < ($1.point.time, $1.point.id) })
            }
        }
    }

    private static func entry(_ row: Row) -> Entry? {
        let decoder = JSONDecoder()
        guard let point = try? decoder.decode(RecoveryPoint.self, from: row["record"] as Data) else { return nil }
        let history = (row["history"] as Data?).flatMap { try? decoder.decode(PointHistory.self, from: $0) }
        return Entry(point: point, history: history ?? PointHistory(), isDamaged: row["damaged"])
    }

    private func records(of store: String) async throws -> [String: RecoveryPoint] {
        let rows = try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT record, history, damaged FROM point WHERE store = ?", arguments: [store]
            )
            .compactMap { Self.entry($0)?.point }
        }
        return Dictionary(rows.map { ($0.object, $0) }) { first, _ in first }
    }

    /// What isn't among the entries is gone.
    private func keep(_ entries: [Entry], of store: String, _ location: String, _ machine: String?) async throws {
        let encoder = JSONEncoder()
        let rows = try entries.map { entry in
            (entry, try encoder.encode(entry.point), try encoder.encode(entry.history))
        }
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO store VALUES (?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET location = excluded.location, seen = excluded.seen
                    """, arguments: [store, location, Date().timeIntervalSince1970])
            if let machine {
                try database.execute(
                    sql: "DELETE FROM point WHERE store = ? AND machine = ?", arguments: [store, machine])
            } else {
                try database.execute(sql: "DELETE FROM point WHERE store = ?", arguments: [store])
            }
            for (entry, record, history) in rows {
                try database.execute(
                    sql: "INSERT INTO point VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [store, entry.point.object, entry.point.machine, record, history, entry.isDamaged])
            }
        }
    }

    private func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await database.read(body) } catch let error as DatabaseError {
            throw Failure(path: path, reason: "\(error)")
        }
    }

    private func write(_ body: @escaping @Sendable (Database) throws -> Void) async throws {
        do { try await database.write(body) } catch let error as DatabaseError {
            throw Failure(path: path, reason: "\(error)")
        }
    }
}
