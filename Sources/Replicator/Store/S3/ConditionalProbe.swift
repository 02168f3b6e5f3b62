/// An answer that is asked for once, whoever wants it meanwhile. A failure isn't kept.
actor ConditionalProbe {
    private var asking: Task<Bool, any Error>?

    func answer(_ ask: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
        let task = asking ?? Task(operation: ask)
        asking = task
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            if asking == task { asking = nil }
            throw error
        }
    }
}
