internal import Disks
internal import Foundation
public import Guest
internal import Preflight
public import Replicator

/// Which recovery point something was made from.
public struct PointReference: Codable, Equatable, Sendable, CustomStringConvertible {
    public var store: String
    public var machine: String
    public var point: String

    public var description: String { "\(store)#\(machine)@\(point)" }
}

/// A recovery point whose disks are read as they are wanted, straight from its store.
public struct ServedPoint: Sendable {
    public let point: RecoveryPoint
    /// Of the machine that was captured, where something had described it.
    public var machine: MachineDescription? { MachineRecord.decode(point.description) }
    /// Of the disks, for reports: "/backup/store#web01@20261128T101500Z-3f9a: disk-0".
    public let names: [String]
    /// Where it is.
    public let reference: PointReference
    private let repository: Repository
    let images: [DiskImage]
    private let server: PointServer

    /// - Parameter name: "STORE#MACHINE", or "STORE#MACHINE@POINT".
    /// - Returns: nil where it is no such name.
    public static func open(_ name: String, access: StoreAccess) async throws -> ServedPoint? {
        // A file of that name is meant as a file.
        guard let mark = name.lastIndex(of: "#"), !FileManager.default.fileExists(atPath: name) else { return nil }
        let request = StoreRequest(location: String(name[..<mark]), access: access)
        let repository = try await request.open()
        let point = try await repository.point(named: String(name[name.index(after: mark)...]))
        let reference = PointReference(store: request.place, machine: point.machine, point: point.id)
        let names = point.disks.map { "\(reference): \($0.name)" }
        let (server, images) = try await serve(point, from: repository, titles: names)
        return ServedPoint(
            point: point, names: names, reference: reference, repository: repository, images: images, server: server)
    }

    /// - Parameter titles: of the disks, for messages.
    /// - Returns: the disks, as long as the server is there.
    static func serve(
        _ point: RecoveryPoint, from repository: Repository, titles: [String]
    ) async throws -> (PointServer, [DiskImage]) {
        let socket = "/tmp/rehost-point-\(UUID().uuidString.prefix(13))"
        let server = try await PointServer(point, from: repository, socket: socket)
        let images = try point.disks.enumerated().map { index, disk in
            try DiskImage.open(
                export: disk.name, on: socket, size: disk.size, allocated: server.allocated(disk: index),
                title: titles[index])
        }
        return (server, images)
    }

    /// Records in the store what came of a boot test.
    /// - Parameters:
    ///   - image: what was booted; nil for the point's own disks.
    ///   - failed: told why it couldn't be.
    func note(_ report: ImageReport, image: String?, failed: (String) -> Void) async {
        do { try await repository.note(PointHistory.Boot(report, image: image), of: point) } catch {
            failed("note: the verdict isn't in the store: \(error)")
        }
    }
}

extension PointHistory.Boot {
    init(_ report: ImageReport, image: String?) {
        self.init(
            time: Date(), verdict: report.verdict.rawValue,
            image: image.map { URL(fileURLWithPath: $0).lastPathComponent })
    }
}
