import Glibc

/// Runs blocking work on a thread of its own and waits for its end without holding one of the cooperative pool.
///
/// - Throws: what `work` throws; ``AMQPFailure/library(operation:reason:)`` if the system has no thread left.
func onDedicatedThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
        let box = Unmanaged.passRetained(ThreadWork { continuation.resume(with: Result(catching: work)) })
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque()
        )
        if status == 0 {
            pthread_detach(thread)
        } else {
            box.release()
            continuation.resume(throwing: AMQPFailure.library(operation: "pthread_create", reason: "errno \(status)"))
        }
    }
}

private final class ThreadWork: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}
