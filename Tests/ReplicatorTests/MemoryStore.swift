import Foundation
import Synchronization

@testable import Replicator

/// A store in memory, which can fail as a test wants it to.
final class MemoryStore: ObjectStore {
    struct Interrupted: Error {}

    private struct State {
        var objects: [String: [UInt8]] = [:]
        /// Writes that go well before all fail; nil: they all go well.
        var writesLeft: Int?
        var writes = 0
    }

    private let state = Mutex(State())
    let name = "memory"

    /// A power cut after so many more writes and removals; nil: none.
    func failAfter(_ writes: Int?) {
        state.withLock {
            $0.writesLeft = writes
            $0.writes = 0
        }
    }

    var writes: Int { state.withLock { $0.writes } }
    var objects: [String: [UInt8]] { state.withLock { $0.objects } }

    func change(_ object: String, _ body: (inout [UInt8]) -> Void) {
        state.withLock {
            if var bytes = $0.objects[object] {
                body(&bytes)
                $0.objects[object] = bytes
            }
        }
    }

    private func write(_ body: (inout State) -> Bool) throws -> Bool {
        try state.withLock { state in
            if let left = state.writesLeft {
                guard left > 0 else { throw Interrupted() }
                state.writesLeft = left - 1
            }
            state.writes += 1
            return body(&state)
        }
    }

    func put(_ object: String, _ bytes: [UInt8], _ mode: PutMode) async throws -> Bool {
        await Task.yield()
        return try write { state in
            if mode == .ifAbsent, state.objects[object] != nil { return false }
            state.objects[object] = bytes
            return true
        }
    }

    func get(_ object: String) async throws -> [UInt8] {
        await Task.yield()
        guard let bytes = state.withLock({ $0.objects[object] }) else {
            throw StoreError(.missing, "no '\(object)'", hint: "")
        }
        return bytes
    }

    func size(of object: String) async throws -> UInt64? {
        await Task.yield()
        return state.withLock { $0.objects[object].map { UInt64($0.count) } }
    }

    func list(_ prefix: String) async throws -> [StoredObject] {
        await Task.yield()
        return state.withLock { state in
            state.objects.filter { $0.key.hasPrefix(prefix) }.map {
                StoredObject(name: $0.key, size: UInt64($0.value.count))
            }
        }
    }

    func remove(_ object: String) async throws {
        await Task.yield()
        _ = try write { state in
            state.objects[object] = nil
            return true
        }
    }

    func flush() async throws {}
}
