import Foundation
import Synchronization

/// Lets a number of tests at a time through.
package actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(_ count: Int) {
        free = count
    }

    package nonisolated func withPlace<Outcome: Sendable>(
        _ body: @Sendable () async throws -> Outcome
    ) async throws -> Outcome {
        await take()
        do {
            let outcome = try await body()
            await leave()
            return outcome
        } catch {
            await leave()
            throw error
        }
    }

    private func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

/// Runs `body` beside a service, and ends the service with it.
package func withRunning<Outcome: Sendable>(
    _ service: @escaping @Sendable () async throws -> Void,
    _ body: @Sendable () async throws -> Outcome
) async throws -> Outcome {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await service() }
        let outcome: Outcome
        do {
            outcome = try await body()
        } catch {
            group.cancelAll()
            throw error
        }
        group.cancelAll()
        do {
            try await group.waitForAll()
        } catch is CancellationError {}
        return outcome
    }
}

/// Waits until `condition` gives a value.
///
/// - Throws: ``ConditionTimedOut`` naming what was waited for, if it takes longer than `limit`.
package func eventually<Value: Sendable>(
    _ what: String,
    within limit: Duration = .seconds(20),
    _ condition: @Sendable () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await condition() { return value }
        guard ContinuousClock.now < deadline else { throw ConditionTimedOut(what: what, limit: limit) }
        try await Task.sleep(for: .milliseconds(5))
    }
}

package struct ConditionTimedOut: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    package var description: String { "not within \(limit): \(what)" }
}

/// Runs `body` with a fresh folder and removes it afterwards.
package func withTemporaryFolder<Outcome>(_ body: (String) async throws -> Outcome) async throws -> Outcome {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let outcome: Outcome
    do {
        outcome = try await body(folder.path())
    } catch {
        try FileManager.default.removeItem(at: folder)
        throw error
    }
    try FileManager.default.removeItem(at: folder)
    return outcome
}
