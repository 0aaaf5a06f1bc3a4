import SQL
import Synchronization
import Testing

@testable import Postgres

extension OnServer {
    @Suite("A lease")
    struct LeaseTests {
        @Test("is held by one process at a time and goes on to the next within five seconds")
        func handover() async throws {
            try await withDatabase { database in
                let other = try database.another()
                let order = RecordedLog()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    let (isHeld, held) = AsyncStream<Void>.makeStream()
                    let (mayEnd, end) = AsyncStream<Void>.makeStream()
                    group.addTask {
                        try await database.sql.withLease("relay") {
                            order.note("first begins")
                            held.finish()
                            for await _ in mayEnd {}
                            order.note("first ends")
                        }
                    }
                    for await _ in isHeld {}
                    group.addTask {
                        try await other.withLease("relay") { order.note("second begins") }
                    }
                    // A lease of another name does not wait for this one.
                    try await other.withLease("migrations") { order.note("another name") }
                    let released = ContinuousClock.now
                    end.finish()
                    try await group.waitForAll()
                    #expect(ContinuousClock.now - released < .seconds(5))
                }
                #expect(order.messages == ["first begins", "another name", "first ends", "second begins"])
                await other.close()
            }
        }

        @Test("cancels its body and fails as unavailable when its connection is lost")
        func loss() async throws {
            try await withDatabase { database in
                let wasCancelled = Mutex(false)
                let error = await #expect(throws: SQLError.self) {
                    try await database.sql.withLease("relay") {
                        try await database.terminateConnections()
                        do {
                            try await Task.sleep(for: .seconds(60))
                        } catch {
                            wasCancelled.withLock { $0 = true }
                            throw error
                        }
                    }
                }
                #expect(error?.isUnavailable == true)
                #expect(wasCancelled.withLock { $0 })
            }
        }

        @Test("ends its waiting when the task is cancelled")
        func cancellation() async throws {
            try await withDatabase { database in
                try await database.sql.withLease("relay") {
                    await #expect(throws: CancellationError.self) {
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            group.addTask { try await database.sql.withLease("relay") {} }
                            group.cancelAll()
                            try await group.next()
                        }
                    }
                }
            }
        }

        @Test("has the same key in every process")
        func key() {
            #expect(Lease.key("relay") == Lease.key("relay"))
            #expect(Lease.key("") == Int64(bitPattern: 0xcbf2_9ce4_8422_2325))
        }
    }
}
