import SQL
import Synchronization

/// One caller's statements and the caller, who is answered exactly once: by the pool or by being cancelled.
final class PipelineCall: PipelinedCall, Sendable {
    let statements: [BoundStatement]
    let lockOrder: Int64
    private let caller: Waiter<[SQLResult]>

    init(_ statements: [BoundStatement], lockOrder: Int64, _ caller: Waiter<[SQLResult]>) {
        self.statements = statements
        self.lockOrder = lockOrder
        self.caller = caller
    }

    var statementCount: Int { statements.count }
    var isAbandoned: Bool { caller.isSettled }

    func settle(_ result: Result<[SQLResult], any Error>) {
        caller.settle(result)
    }
}

/// A caller that waits for a thread of ours, and stops waiting as soon as its task is cancelled.
final class Waiter<Outcome: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Outcome, any Error>)
        case settled
    }

    private let state = Mutex(State.new)

    /// Hands itself to `submit` and waits to be settled.
    static func wait(_ submit: (Waiter) throws -> Void) async throws -> Outcome {
        let waiter = Waiter()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard waiter.begin(continuation) else {
                    continuation.resume(throwing: CancellationError())
                    return
                }
                do { try submit(waiter) } catch { waiter.settle(.failure(error)) }
            }
        } onCancel: {
            waiter.settle(.failure(CancellationError()))
        }
    }

    var isSettled: Bool {
        state.withLock { state in
            if case .settled = state { true } else { false }
        }
    }

    /// The first to settle wins; what comes later is dropped.
    func settle(_ result: Result<Outcome, any Error>) {
        let continuation: CheckedContinuation<Outcome, any Error>? = state.withLock { state in
            defer { state = .settled }
            guard case .waiting(let continuation) = state else { return nil }
            return continuation
        }
        continuation?.resume(with: result)
    }

    private func begin(_ continuation: CheckedContinuation<Outcome, any Error>) -> Bool {
        state.withLock { state in
            guard case .new = state else { return false }
            state = .waiting(continuation)
            return true
        }
    }
}
