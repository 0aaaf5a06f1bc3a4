import Foundation
import SQL
import SQLite
import TestSupport
import Testing

@testable import Bootstrap

@Suite("The data folder")
struct DataFolderTests {
    @Test("is made with what is in it for its owner alone")
    func permissions() async throws {
        try await withTemporaryFolder { parent in
            let folder = try DataFolder("\(parent)/nested/data")
            #expect(try mode(of: folder.path) == 0o700)
            _ = try folder.secret(ConfigurationSource(values: [:]))
            let database = try SQLiteDatabase(path: folder.databasePath)
            _ = try await database.batch([.init("CREATE TABLE t (id INTEGER)", [])])
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files.contains("martlet.sqlite-wal"))
            for file in files { #expect(try mode(of: "\(folder.path)/\(file)") == 0o600, "\(file)") }
            try database.close()
        }
    }

    @Test("makes no secret where one is configured, and refuses that one if it is weak")
    func configuredSecret() async throws {
        try await withTemporaryFolder { path in
            let folder = try DataFolder(path)
            let key = "\(UUID().uuidString)\(UUID().uuidString)"
            _ = try folder.secret(ConfigurationSource(values: ["JWT_SECRET_KEY": key]))
            #expect(throws: (any Error).self) {
                try folder.secret(ConfigurationSource(values: ["JWT_SECRET_KEY": "too short"]))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test("has room for one server at a time")
    func lock() async throws {
        try await withTemporaryFolder { path in
            let folder = try DataFolder(path)
            let lock = try folder.lock()
            let refused = #expect(throws: SettingsError.self) { try DataFolder(path).lock() }
            #expect(refused?.description.hasPrefix("DATA_DIR is refused: another Martlet server") == true)
            lock.release()
            try folder.lock().release()
        }
    }

    @Test("that cannot be made or written to is refused by the name of its key")
    func unusable() async throws {
        try await withTemporaryFolder { parent in
            try Data().write(to: URL(filePath: "\(parent)/file"))
            let error = #expect(throws: SettingsError.self) { try DataFolder("\(parent)/file/data") }
            #expect(error?.description.hasPrefix("DATA_DIR is ") == true)
            // A folder in the lock's place stands for one that root too cannot write to.
            try FileManager.default.createDirectory(atPath: "\(parent)/server.lock", withIntermediateDirectories: true)
            let unlockable = #expect(throws: SettingsError.self) { try DataFolder(parent).lock() }
            #expect(unlockable?.description.hasPrefix("DATA_DIR is refused") == true)
        }
    }

    private func mode(of path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
}
