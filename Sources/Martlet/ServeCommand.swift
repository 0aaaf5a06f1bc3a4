import ArgumentParser
import Bootstrap

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run REST and the live feed in one process over SQLite; nothing else is needed."
    )

    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await presentingErrors {
            try await AllInOne.run(options.source(), dataFolder: options.dataDir)
        }
    }
}
