import CPostgres
import Glibc
import SQL
import Synchronization

/// Where callers leave work for the pool's thread, and how they wake it: by a descriptor that it polls with the rest.
final class Inbox: Sendable {
    private struct State {
        var calls: [PipelineCall] = []
        var isSleeping = false
        var isClosed = false
    }

    let wakeDescriptor: Int32
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) throws(SQLError) {
        wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeDescriptor >= 0 else { throw .unavailable("no descriptor left") }
        self.limit = limit
    }

    deinit {
        Glibc.close(wakeDescriptor)
    }

    func put(_ call: PipelineCall) throws(SQLError) {
        try enter { state throws(SQLError) in
            guard !state.isClosed else { throw .unavailable("closed") }
            guard state.calls.count < limit else { throw .unavailable("too many calls wait") }
            state.calls.append(call)
        }
    }

    func close() {
        enter { $0.isClosed = true }
    }

    /// A system call only for a thread that sleeps: under load it finds the work by itself.
    private func enter<Failure: Error>(_ change: (inout State) throws(Failure) -> Void) throws(Failure) {
        let wasSleeping = try state.withLock { state throws(Failure) in
            try change(&state)
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if wasSleeping { eventfd_write(wakeDescriptor, 1) }
    }

    /// Exchanges the waiting calls for an empty array.
    /// - Returns: whether to go on.
    func take(into calls: inout [PipelineCall]) -> Bool {
        state.withLock { state in
            swap(&state.calls, &calls)
            return !state.isClosed
        }
    }

    /// - Returns: whether there is nothing to do but to sleep; from now on callers wake the thread.
    func prepareToSleep() -> Bool {
        state.withLock { state in
            state.isSleeping = state.calls.isEmpty && !state.isClosed
            return state.isSleeping
        }
    }

    /// For what does not come through the inbox.
    func wake() {
        eventfd_write(wakeDescriptor, 1)
    }

    func acknowledgeWake() {
        var count: eventfd_t = 0
        eventfd_read(wakeDescriptor, &count)
    }
}
