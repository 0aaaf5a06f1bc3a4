package import SQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An exclusive lock between processes (`flock`): the kernel lets go of it when its holder dies.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``SQLError/unavailable(_:)`` if the file cannot be made.
    package init(path: String) throws(SQLError) {
        descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable("\(path): \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(descriptor)
    }

    /// Takes the lock if nobody else holds it.
    ///
    /// - Throws: ``SQLError/unavailable(_:)`` if the file system knows no locks.
    package func tryAcquire() throws(SQLError) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw .unavailable("flock: \(String(cString: strerror(errno)))") }
        return false
    }

    package func release() {
        flock(descriptor, LOCK_UN)
    }
}
