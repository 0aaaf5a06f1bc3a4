import Synchronization

/// Wakes the relay of this process as soon as a use case has committed an event. Signals run together: one that is not
/// yet taken stands for any number.
package final class OutboxSignal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, any Error>?
    }

    private let state = Mutex(State())

    package init() {}

    package func signal() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.isRaised = true
                return CheckedContinuation<Void, any Error>?.none
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Waits for a signal since the last wait. One task at a time may wait: the relay.
    ///
    /// - Throws: `CancellationError`.
    func wait() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.isRaised {
                        state.isRaised = false
                        return .success(())
                    }
                    state.waiter = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
