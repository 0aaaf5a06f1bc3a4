import SQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes the file for its owner alone if it is missing; one that exists stays as it is.
///
/// - Throws: ``SQLError/unavailable(_:)`` if it cannot be made.
func makePrivateFile(_ path: String) throws(SQLError) {
    // Never opens a file that is there: closing any descriptor of it would let go of SQLite's locks on it.
    let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor < 0 else {
        close(descriptor)
        return
    }
    guard errno == EEXIST else { throw .unavailable("\(path): \(String(cString: strerror(errno)))") }
}
