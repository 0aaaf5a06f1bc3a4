package import Application
import CSodium
package import Domain
import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Argon2id by libsodium, on threads of its own.
///
/// Each thread needs ``memoryBytes`` while it hashes. Let it go, or call ``shutdown()``, to end the threads.
package final class Argon2idHasher: PasswordHasher {
    /// 19 MiB, two passes, one lane: OWASP's Password Storage Cheat Sheet, first choice for Argon2id.
    package static let memoryBytes = 19 * 1024 * 1024
    package static let passes: UInt64 = 2

    package let decoy: PasswordHash
    private let threads: HashingThreads

    /// Takes about 16 ms, for the decoy.
    ///
    /// - Parameters:
    ///   - threadCount: How many passwords are hashed at once; the cores of this process by default.
    ///   - waitingLimit: How many more may wait; by default as many as are done in well under a second.
    /// - Throws: ``ApplicationError`` `defect` if libsodium or the threads cannot be started.
    package convenience init(threadCount: Int? = nil, waitingLimit: Int? = nil) throws {
        let count = max(1, threadCount ?? ProcessInfo.processInfo.activeProcessorCount)
        let limit = max(0, waitingLimit ?? count * HashingThreads.waitingPerThread)
        try self.init(threads: HashingThreads(count: count, waitingLimit: limit))
    }

    init(threads: HashingThreads) throws {
        guard sodium_init() >= 0 else { throw ApplicationError.defect("libsodium cannot be initialised.") }
        self.threads = threads
        var secret = [CChar](repeating: 0, count: 32)
        randombytes_buf(&secret, secret.count)
        self.decoy = try argon2id(hashing: secret, count: secret.count)
        sodium_memzero(&secret, secret.count)
    }

    package func hash(_ password: Password) async throws -> PasswordHash {
        try await threads.run {
            // A native string is not copied for this. The count is given because it may hold a NUL.
            try password.secret.withCString { try argon2id(hashing: $0, count: password.secret.utf8.count) }
        }
    }

    package func verify(_ password: Password, against hash: PasswordHash) async throws -> Bool {
        try await threads.run {
            try password.secret.withCString {
                try argon2id(verifying: $0, count: password.secret.utf8.count, against: hash)
            }
        }
    }

    /// How many callers wait for a thread.
    package var waitingCount: Int { threads.load.waiting }

    /// Refuses who waits and everybody after; passwords that are being hashed are finished.
    package func shutdown() {
        threads.shutdown()
    }
}

private func argon2id(hashing password: UnsafePointer<CChar>, count: Int) throws -> PasswordHash {
    var output = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
    let status = crypto_pwhash_str_alg(
        &output,
        password,
        UInt64(count),
        Argon2idHasher.passes,
        Argon2idHasher.memoryBytes,
        crypto_pwhash_ALG_ARGON2ID13
    )
    guard status == 0 else { throw ApplicationError.noMemoryForHashing }
    let text = output.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return PasswordHash(phcString: String(decoding: text, as: UTF8.self))
}

private func argon2id(
    verifying password: UnsafePointer<CChar>,
    count: Int,
    against hash: PasswordHash
) throws -> Bool {
    errno = 0
    if crypto_pwhash_str_verify(hash.phcString, password, UInt64(count)) == 0 { return true }
    // Being out of memory must not read as a wrong password.
    guard errno != ENOMEM else { throw ApplicationError.noMemoryForHashing }
    return false
}

extension ApplicationError {
    fileprivate static var noMemoryForHashing: ApplicationError {
        ApplicationError(
            .overloaded,
            "too_many_logins",
            "Too many people log in right now: try again in a moment.",
            detail: "libsodium could not allocate \(Argon2idHasher.memoryBytes) bytes for Argon2id."
        )
    }
}
