import Application
import FoundationEssentials
import SQL
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

    /// `JWT_SECRET_KEY` if it is set, else the folder's own, made at the first start.
    func secret(_ source: ConfigurationSource) throws -> JWTSecret {
        if let text = source.string("jwt.secret.key") { return try JWTSecret(text) }
        return try JWTSecret.loadOrCreate(at: "\(path)/jwt-secret")
    }

    /// Keeps a second server out of the folder for as long as the lock lives.
    ///
    /// - Throws: ``SettingsError/refused(_:why:)`` if another server runs here, or the folder cannot be written to.
    func lock() throws(SettingsError) -> FileLock {
        let lock: FileLock
        let isOurs: Bool
        do throws(SQLError) {
            lock = try FileLock(path: "\(path)/server.lock")
            isOurs = try lock.tryAcquire()
        } catch {
            throw .refused("DATA_DIR", why: "\(error)")
        }
        guard isOurs else { throw .refused("DATA_DIR", why: "another Martlet server is running in \(path)") }
        return lock
    }
}
