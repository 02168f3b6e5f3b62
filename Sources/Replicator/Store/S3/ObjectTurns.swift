/// One after the other, for each object.
actor ObjectTurns {
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    nonisolated func run<Result: Sendable>(
        _ object: String, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        await begin(object)
        do {
            let result = try await body()
            await end(object)
            return result
        } catch {
            await end(object)
            throw error
        }
    }

    private func begin(_ object: String) async {
        guard waiting[object] != nil else {
            waiting[object] = []
            return
        }
        await withCheckedContinuation { waiting[object]?.append($0) }
    }

    private func end(_ object: String) {
        if let next = waiting[object]?.first {
            waiting[object]?.removeFirst()
            next.resume()
        } else {
            waiting[object] = nil
        }
    }
}
