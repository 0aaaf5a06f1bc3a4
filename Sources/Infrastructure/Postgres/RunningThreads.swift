import CPostgres
import Glibc
import Synchronization

/// Threads of our own for blocking C calls, and a way to wait for their end without blocking one of the pool.
final class RunningThreads: Sendable {
    private struct State {
        var count = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// - Parameter name: at most 15 bytes, as Linux keeps no more.
    /// - Returns: whether the system had a thread to give.
    func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { $0.count += 1 }
        let start = Unmanaged.passRetained(
            ThreadStart(name: name) {
                body()
                self.ended()
            }
        )
        var thread: pthread_t = 0
        let status = pthread_create(&thread, nil, runThread, start.toOpaque())
        guard status == 0 else {
            start.release()
            ended()
            return false
        }
        pthread_detach(thread)
        return true
    }

    func allEnded() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.count > 0 { state.waiters.append(continuation) }
                return state.count == 0
            }
            if isDone { continuation.resume() }
        }
    }

    private func ended() {
        let waiters = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

private final class ThreadStart {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
    martlet_name_thread(start.name)
    start.body()
    return nil
}
