internal import Foundation
internal import Glibc

extension S3Store {
    /// Objects that are put to see what the server does with them, and removed again.
    private static let probeFolder = "probe/"

    /// Whether the server refuses to put an object that is there already when it is asked to (`If-None-Match: *`). Some
    /// ignore it. The first call tries it with an object of its own; later ones know.
    /// - Throws: ``StoreError`` where the server can't be reached or written to.
    public func conditionalWrites() async throws -> Bool {
        try await probe.answer {
            let object = "\(Self.probeFolder)\(time(nil))-\(UUID().uuidString.lowercased())"
            let answer: Bool
            do {
                answer = try await tryTwice(object)
            } catch {
                try? await remove(object)
                throw error
            }
            try await remove(object)
            return answer
        }
    }

    private func tryTwice(_ object: String) async throws -> Bool {
        for attempt in 1...2 {
            let (request, response) = try await putOnce(object, Array("probe \(attempt)".utf8))
            if Self.isNotImplemented(response) { return false }
            // At the first time it is the store's own, from an attempt whose answer was lost.
            if response.status == 412 {
                if attempt == 2 { return true }
                continue
            }
            guard response.isSuccess else { throw S3Failure(request, client).error(response) }
        }
        return false
    }

    private func putOnce(_ object: String, _ bytes: [UInt8]) async throws -> (S3Request, S3Response) {
        let request = S3Request(
            method: .put, key: client.location.key(object),
            headers: [.init(name: "if-none-match", value: "*")], body: bytes, purpose: "write '\(object)'")
        return (request, try await client.send(request))
    }

    private static func isNotImplemented(_ response: S3Response) -> Bool {
        response.status == 501 || response.problem.code == "NotImplemented"
    }

    /// - Returns: false where the object was there already.
    func putIfAbsent(_ object: String, _ bytes: [UInt8]) async throws -> Bool {
        var mayBeOwn = false
        // An object that is removed between the two requests below is put again, but not for ever.
        for _ in 1...3 {
            let (request, response) = try await putOnce(object, bytes)
            if response.isSuccess { return true }
            guard response.status == 412 else { throw S3Failure(request, client).error(response) }
            mayBeOwn = mayBeOwn || response.attempts > 1
            guard mayBeOwn else { return false }
            // An attempt whose answer was lost may have put it. It is this writer's own then: a lock that nobody
            // believes to have would stay for ever.
            if let there = try await found(object) { return there == bytes }
        }
        throw StoreError(
            .busy, "could not write '\(object)' in the store '\(name)': others put and remove it all the time",
            hint: "try again later")
    }

    /// Removes what killed processes left of their probes, after a day.
    public func removeLeftovers() async throws {
        for object in try await list(Self.probeFolder) {
            let parts = object.name.dropFirst(Self.probeFolder.count).split(separator: "-", maxSplits: 1)
            guard let made = parts.first.flatMap({ Int($0) }), time(nil) - made > 86_400 else { continue }
            try await remove(object.name)
        }
    }
}
