import ArgumentParser
import LiveClient

struct ListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Print the live feed of whoever's access token comes on standard input, one frame a line."
    )

    @Option(help: "The address of the live feed.")
    var url = "ws://127.0.0.1:4000/v1/live"

    func run() async throws {
        guard let token = readLine(), !token.isEmpty else {
            throw ValidationError("There is no access token on standard input.")
        }
        let code = try await LiveClient(url: url, token: token).listen { frame in
            print(frame)
            flushStandardOutput()
        }
        throw CleanExit.message("The server closed the feed\(code.map { " with code \($0)" } ?? "").")
    }
}
