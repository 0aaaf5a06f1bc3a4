import ArgumentParser
import Bootstrap
import SQL

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Look at the database's schema and change it. Servers migrate by themselves at start.",
        subcommands: [Status.self, Up.self, Down.self, New.self],
        defaultSubcommand: Status.self
    )

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List every step and whether it was applied.")

        @OptionGroup var options: CommonOptions

        func run() async throws {
            try await withMigrator(options) { migrator in
                for step in try await migrator.status() {
                    print("\(step.version)\t\(step.appliedAt == nil ? "pending" : "applied")\t\(step.name)")
                }
            }
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply every step that is missing.")

        @OptionGroup var options: CommonOptions

        func run() async throws {
            try await withMigrator(options) { migrator in
                print("\(try await migrator.up()) applied")
            }
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take back the last step, with the data it made room for."
        )

        @OptionGroup var options: CommonOptions

        @Flag(help: "Do it. Without this nothing happens.")
        var yes = false

        func run() async throws {
            guard yes else {
                throw ValidationError("This deletes data. Make a backup, then add --yes.")
            }
            try await withMigrator(options, isAlone: true) { migrator in
                print(try await migrator.down().map { "\($0) taken back" } ?? "nothing to take back")
            }
        }
    }

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the empty files of the next step into the source tree."
        )

        @Argument(help: "What the step does, in lower case with _ between words.")
        var name: String

        @Option(help: "The folder of the migrations.")
        var folder = "Sources/Infrastructure/SQL/Migrations"

        func run() throws {
            let template = try MigrationTemplate(name: name)
            for path in try template.write(into: folder) { print("wrote \(path)") }
            print("Now add this to Migration.all in Sources/Infrastructure/SQL/Schema/Migration.swift:")
            print(template.registration)
        }
    }
}

private func withMigrator(
    _ options: CommonOptions,
    isAlone: Bool = false,
    _ body: @Sendable (Migrator) async throws -> Void
) async throws {
    try await presentingErrors {
        try await CommandLineDatabase.withDatabase(
            options.source(),
            dataFolder: options.dataDir,
            isAlone: isAlone
        ) { database, logger in
            try await body(CommandLineDatabase.migrator(database, logger: logger))
        }
    }
}
