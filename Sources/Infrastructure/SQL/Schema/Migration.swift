import Crypto

/// One step of the schema, for both engines. A step that was released never changes: add another.
package struct Migration: Sendable {
    /// 1, 2, 3 … without gaps.
    package let version: Int
    package let name: String
    let scripts: [SQLDialect: Scripts]

    struct Scripts: Sendable {
        let up: String
        let down: String
    }

    init(_ version: Int, _ name: String, postgres: Scripts, sqlite: Scripts) {
        self.version = version
        self.name = name
        self.scripts = [.postgres: postgres, .sqlite: sqlite]
    }

    func script(_ dialect: SQLDialect) throws -> Scripts {
        guard let scripts = scripts[dialect] else {
            throw SQLError.defect("migration \(version) has no script for \(dialect)")
        }
        return scripts
    }
}

extension Migration.Scripts {
    /// The files as SwiftPM embeds them.
    init(up: [UInt8], down: [UInt8]) {
        self.init(up: String(decoding: up, as: UTF8.self), down: String(decoding: down, as: UTF8.self))
    }

    /// SHA-256 of the script that was or will be run, in hexadecimal.
    var checksum: String {
        SHA256.hash(data: Array(up.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
    }
}

extension Migration {
    /// Every step there is, in order. `martlet migrate new` writes the files of the next one.
    package static let all: [Migration] = [
        Migration(
            1,
            "foundation",
            postgres: Scripts(
                up: PackageResources._001_foundation_postgres_up_sql,
                down: PackageResources._001_foundation_postgres_down_sql
            ),
            sqlite: Scripts(
                up: PackageResources._001_foundation_sqlite_up_sql,
                down: PackageResources._001_foundation_sqlite_down_sql
            )
        )
    ]
}
