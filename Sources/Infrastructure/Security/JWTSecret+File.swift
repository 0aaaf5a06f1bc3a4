import Crypto

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension JWTSecret {
    /// The secret kept in the file at `path`, which is made with 32 random bytes (in base64) if it is not there.
    ///
    /// Nobody but its owner may read it. Of several processes that make it at once one wins and all get its secret; a
    /// crash leaves the whole file or none. For start-up: it touches the disk.
    ///
    /// - Throws: `file` if it cannot be read or made, others may read it, or what it holds is too weak.
    package static func loadOrCreate(at path: String) throws(JWTSecretError) -> JWTSecret {
        if let secret = try load(from: path) { return secret }
        try create(at: path)
        if let secret = try load(from: path) { return secret }
        throw .file(path: path, reason: "it vanished right after it was made.")
    }

    /// Far more than a secret takes; the bound on what is read.
    private static let maximumFileBytes = 4096

    /// `nil` if there is no file.
    private static func load(from path: String) throws(JWTSecretError) -> JWTSecret? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw failure(path, "opening it") }
        defer { close(descriptor) }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "looking at it") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, reason: "it is no regular file.") }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw .file(
                path: path,
                reason: "others may read it (mode \(mode)): `chmod 600` it, or delete it to get a new one, which ends"
                    + " all sessions."
            )
        }
        var bytes = [UInt8](repeating: 0, count: maximumFileBytes)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw failure(path, "reading it") }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let secret = text.hasSuffix("\n") ? text.dropLast() : text[...]
        do {
            return try JWTSecret(String(secret))
        } catch {
            throw .file(path: path, reason: "what it holds is too weak; delete it to get a new one.")
        }
    }

    /// Writes a file beside `path` and links it there: `link(2)` refuses to replace one that another process made.
    static func create(at path: String) throws(JWTSecretError) {
        let draft = "\(path).new-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, "making it") }
        defer {
            close(descriptor)
            unlink(draft)
        }
        let text = SymmetricKey(size: .bits256).withUnsafeBytes { Base64URL.encode($0) + "\n" }
        guard write(descriptor, text, text.utf8.count) == text.utf8.count, fsync(descriptor) == 0 else {
            throw failure(path, "writing it")
        }
        guard link(draft, path) == 0 || errno == EEXIST else { throw failure(path, "making it") }
        try synchronizeFolder(of: path)
    }

    /// A new name survives a crash once its folder is on disk too.
    private static func synchronizeFolder(of path: String) throws(JWTSecretError) {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        let descriptor = open(String(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "opening its folder") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path, "writing its folder") }
    }

    private static func failure(_ path: String, _ action: String) -> JWTSecretError {
        .file(path: path, reason: "\(action) failed: \(String(cString: strerror(errno))).")
    }
}
