import Synchronization

/// Posts one after the other until told to end, and remembers what came of it.
final class Writer: Sendable {
    private struct State {
        var accepted: [String] = []
        var unavailable = 0
        var isOver = false
    }

    private let state = Mutex(State())

    /// The ids of the posts that were answered 201, in order.
    var accepted: [String] { state.withLock { $0.accepted } }
    /// How many were answered 503.
    var unavailable: Int { state.withLock { $0.unavailable } }

    /// Runs `body` while `count` writers post for `author`, which ends with it.
    ///
    /// - Parameters:
    ///   - mayBeUnavailable: Whether 503 with Retry-After is right too.
    ///   - untilServerIsGone: Whether a connection that breaks is the end of a writer, and no failure.
    /// - Throws: ``RestClient/Unexpected`` if a post is answered otherwise.
    func write(
        to rest: RestClient,
        by author: RestClient.Account,
        count: Int = 1,
        mayBeUnavailable: Bool = false,
        untilServerIsGone: Bool = false,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        state.withLock { $0.isOver = false }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        while !self.state.withLock({ $0.isOver }) {
                            try await self.post(to: rest, by: author, mayBeUnavailable: mayBeUnavailable)
                        }
                    } catch let error where untilServerIsGone && !(error is RestClient.Unexpected) {
                        return  // No connection: it was killed.
                    }
                }
            }
            do {
                defer { state.withLock { $0.isOver = true } }
                try await body()
            }
            try await group.waitForAll()
        }
    }

    func post(to rest: RestClient, by author: RestClient.Account, mayBeUnavailable: Bool = false) async throws {
        let answer = try await rest.send("POST", "/v1/posts", by: author, body: ["text": "a post"])
        if mayBeUnavailable, answer.isUnavailable(retryAfter: "5") {
            state.withLock { $0.unavailable += 1 }
        } else {
            let id = try answer.expecting(201).string("id")
            state.withLock { $0.accepted.append(id) }
        }
    }
}
