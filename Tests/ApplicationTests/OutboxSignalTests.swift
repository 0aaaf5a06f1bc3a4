import Testing

@testable import Application

@Suite("OutboxSignal")
struct OutboxSignalTests {
    @Test("a signal before the wait ends it at once")
    func early() async throws {
        let signal = OutboxSignal()
        signal.signal()
        try await signal.wait()
    }

    @Test("a signal ends the wait under way")
    func late() async throws {
        let signal = OutboxSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await signal.wait() }
            group.addTask {
                await Task.yield()
                signal.signal()
            }
            try await group.waitForAll()
        }
    }

    @Test("signals that nobody took stand for one")
    func together() async throws {
        let signal = OutboxSignal()
        for _ in 0..<3 { signal.signal() }
        try await signal.wait()
        await expectCancellation(of: signal)
    }

    @Test("a cancelled wait throws, and the next signal is not lost with it")
    func cancellation() async throws {
        let signal = OutboxSignal()
        await expectCancellation(of: signal)
        signal.signal()
        try await signal.wait()
    }

    @Test("no signal is lost between two tasks, however they meet")
    func handOver() async throws {
        let (signal, answer) = (OutboxSignal(), OutboxSignal())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for _ in 0..<1000 {
                    try await signal.wait()
                    answer.signal()
                }
            }
            group.addTask {
                for _ in 0..<1000 {
                    signal.signal()
                    try await answer.wait()
                }
            }
            try await group.waitForAll()
        }
    }

    /// Cancels a wait that nothing else would end.
    private func expectCancellation(of signal: OutboxSignal) async {
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await signal.wait() }
                await Task.yield()
                group.cancelAll()
                try await group.next()
            }
        }
    }
}
