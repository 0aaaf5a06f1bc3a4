import Application
import FoundationEssentials
import SQLite
import MartletSecurity

/// The one folder an all-in-one server keeps everything in: the database, the secret that signs its tokens, a lock.
struct DataFolder {
    static let defaultPath = "data"

    let path: String

    /// Makes the folder, for its owner alone, if it is missing.
    ///
    /// - Throws: ``SettingsError/invalid(_:got:takes:)`` if it cannot be made.
    init(_ path: String) throws {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw SettingsError.invalid("DATA_DIR", got: path, takes: "a folder that can be made and written to")
        }
    }

    var databasePath: String { "\(path)/martlet.sqlite" }

    func secret() throws -> JWTSecret { try JWTSecret.loadOrCreate(at: "\(path)/jwt-secret") }

    /// Keeps a second server out of the folder for as long as the lock lives.
    ///
    /// - Throws: ``SettingsError/refused(_:why:)`` if another server runs here.
    func lock() throws -> FileLock {
        let lock = try FileLock(path: "\(path)/server.lock")
        guard try lock.tryAcquire() else {
            throw SettingsError.refused("DATA_DIR", why: "another Martlet server is running in \(path)")
        }
        return lock
    }
}
