import FoundationEssentials
import SQL

/// The files of a new schema step, for people who work on Martlet.
package struct MigrationTemplate: Sendable {
    private let version: Int
    private let name: String

    /// - Throws: ``SettingsError/invalid(_:got:takes:)`` for a name that no file or identifier could have.
    package init(name: String) throws {
        let isPlain = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        }
        guard isPlain, !name.isEmpty else {
            throw SettingsError.invalid("The name", got: name, takes: "lower-case letters and _")
        }
        self.version = (Migration.all.last?.version ?? 0) + 1
        self.name = name
    }

    private var stem: String { "\(String(repeating: "0", count: 4 - "\(version)".count))\(version)_\(name)" }

    /// Writes four files, up and down for both engines, and gives their paths.
    ///
    /// - Throws: What the file system says; a file that exists is left alone.
    package func write(into folder: String) throws -> [String] {
        try ["postgres", "sqlite"].flatMap { engine in
            try ["up", "down"].map { direction in
                let path = "\(folder)/\(stem).\(engine).\(direction).sql"
                try Data("-- \(name), \(direction)\n".utf8).write(to: URL(filePath: path), options: .withoutOverwriting)
                return path
            }
        }
    }

    /// The Swift code that makes the step known.
    package var registration: String {
        // SwiftPM names an embedded file after itself, with what an identifier cannot hold replaced.
        let symbol = "_\(stem.dropFirst())"
        return """
            Migration(
                \(version),
                "\(name)",
                postgres: Scripts(
                    up: PackageResources.\(symbol)_postgres_up_sql,
                    down: PackageResources.\(symbol)_postgres_down_sql
                ),
                sqlite: Scripts(
                    up: PackageResources.\(symbol)_sqlite_up_sql,
                    down: PackageResources.\(symbol)_sqlite_down_sql
                )
            )
            """
    }
}
