import Application
import CSodium
import Domain
import Foundation
import Testing

@testable import MartletSecurity

@Suite("Hashing passwords", .timeLimit(.minutes(1)))
struct Argon2idHasherTests {
    private func password(_ text: String) -> Password { Password(given: text) }

    @Test("a password is known again by its hash, and no other is")
    func verify() async throws {
        let hasher = try Argon2idHasher(threadCount: 2)
        let hash = try await hasher.hash(password("correct horse ☂"))
        #expect(try await hasher.verify(password("correct horse ☂"), against: hash))
        for wrong in ["correct horse ☔", "correct horse ", "", "Correct horse ☂", "correct horse ☂\0"] {
            #expect(try await !hasher.verify(password(wrong), against: hash), "\(wrong)")
        }
    }

    @Test("an empty password and one with NUL inside are hashed whole", arguments: ["", "\0", "a\0b"])
    func unusual(text: String) async throws {
        let hasher = try Argon2idHasher(threadCount: 1)
        let hash = try await hasher.hash(password(text))
        #expect(try await hasher.verify(password(text), against: hash))
        #expect(try await !hasher.verify(password(text + "c"), against: hash))
    }

    @Test("a hash states Argon2id, 19 MiB, two passes and one lane, and no two are the same")
    func parameters() async throws {
        let hasher = try Argon2idHasher(threadCount: 1)
        let hashes = [try await hasher.hash(password("twice")), try await hasher.hash(password("twice")), hasher.decoy]
        for hash in hashes { #expect(hash.phcString.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$")) }
        #expect(Set(hashes).count == 3)
    }

    @Test("the decoy is a hash like any other to libsodium, and no password makes it")
    func decoy() async throws {
        let hasher = try Argon2idHasher(threadCount: 1)
        // 0: well-formed and with exactly these parameters, so that verifying it goes the whole way.
        #expect(crypto_pwhash_str_needs_rehash(hasher.decoy.phcString, 2, 19 * 1024 * 1024) == 0)
        #expect(try await !hasher.verify(password("anything"), against: hasher.decoy))
        #expect(try Argon2idHasher(threadCount: 1).decoy != hasher.decoy)
    }

    @Test("what is no hash matches no password", arguments: ["", "x", "$argon2id$", "$2b$10$abcdefghijklmnopqrstuv"])
    func noHash(text: String) async throws {
        let hasher = try Argon2idHasher(threadCount: 1)
        #expect(try await !hasher.verify(password("anything"), against: PasswordHash(phcString: text)))
    }

    @Test("with one thread busy and one caller waiting the third is refused at once, and the others are served")
    func overload() async throws {
        let threads = try HashingThreads(count: 1, waitingLimit: 1)
        let hasher = try Argon2idHasher(threads: threads)
        let gate = Gate()
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask { try await threads.run { gate.pass() } }
            try await untilTrue { threads.load == (waiting: 0, running: 1) }
            group.addTask { _ = try await hasher.hash(Password(given: "second")) }
            try await untilTrue { threads.load == (waiting: 1, running: 1) }

            let error = try await #require(throws: ApplicationError.self) {
                try await hasher.hash(Password(given: "third"))
            }
            #expect(error.code == .overloaded)
            #expect(error.word == "too_many_logins")
            #expect(threads.load == (waiting: 1, running: 1))

            gate.open()
            try await group.waitForAll()
        }
        _ = try await hasher.hash(Password(given: "fourth"))
    }

    @Test("a caller that is cancelled while waiting leaves the queue, before or after it came")
    func cancellation() async throws {
        let threads = try HashingThreads(count: 1, waitingLimit: 1)
        let gate = Gate()
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask { try await threads.run { gate.pass() } }
            try await untilTrue { threads.load == (waiting: 0, running: 1) }

            await withTaskGroup { cancelled in
                cancelled.addTask {
                    await #expect(throws: CancellationError.self) { try await threads.run { Issue.record("it ran") } }
                }
                await #expect(throws: Never.self) { try await untilTrue { threads.load == (waiting: 1, running: 1) } }
                cancelled.cancelAll()
                await cancelled.waitForAll()
                #expect(threads.load == (waiting: 0, running: 1))
                // This group is cancelled: its next child is so from the start.
                cancelled.addTask {
                    await #expect(throws: CancellationError.self) { try await threads.run { Issue.record("it ran") } }
                }
            }
            #expect(threads.load == (waiting: 0, running: 1))
            gate.open()
            try await group.waitForAll()
        }
    }

    @Test("shutting down turns away who waits and who comes, and finishes what runs")
    func shutdown() async throws {
        let threads = try HashingThreads(count: 1, waitingLimit: 1)
        let hasher = try Argon2idHasher(threads: threads)
        let gate = Gate()
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask {
                let result = try await threads.run {
                    gate.pass()
                    return 7
                }
                #expect(result == 7)
            }
            try await untilTrue { threads.load == (waiting: 0, running: 1) }
            group.addTask {
                let error = await #expect(throws: ApplicationError.self) { try await hasher.hash(Password(given: "x")) }
                #expect(error?.code == .unavailable)
            }
            try await untilTrue { threads.load == (waiting: 1, running: 1) }
            hasher.shutdown()
            let error = await #expect(throws: ApplicationError.self) { try await hasher.hash(Password(given: "x")) }
            #expect(error?.code == .unavailable)
            gate.open()
            try await group.waitForAll()
        }
    }

    @Test("letting the threads go ends them")
    func release() async throws {
        var threads: HashingThreads? = try HashingThreads(count: 4, waitingLimit: 0)
        let queue = WeakQueue(try #require(threads).queue)
        try await threads?.run {}
        #expect(queue.value != nil)
        threads = nil
        // Each thread holds the queue until it ends.
        try await untilTrue { queue.value == nil }
    }

    @Test("the threads leave the CPU to others")
    func niceness() async throws {
        let before = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        let threads = try HashingThreads(count: 1, waitingLimit: 0)
        let inside = try await threads.run { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
        #expect(inside == max(before, 10))
    }
}

/// Holds a thread until it is opened.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func pass() { semaphore.wait() }
    func open() { semaphore.signal() }
}

private struct WeakQueue {
    weak var value: HashingThreads.Queue?

    init(_ value: HashingThreads.Queue) { self.value = value }
}

private func untilTrue(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "the condition never came true")
        await Task.yield()
    }
}
