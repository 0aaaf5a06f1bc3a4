import ArgumentParser
import LiveClient
import NIOHTTP1

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
        let client: WebSocketClient
        do {
            client = try await WebSocketClient.connect(url, headers: ["Authorization": "Bearer \(token)"])
        } catch let refusal as WebSocketClient.Refusal {
            throw Ended(description: "The server refused the feed with \(refusal.status): \(refusal.body)")
        } catch {
            throw Ended(description: "The feed at \(url) cannot be reached: \(error)")
        }
        while true {
            do {
                print(try await client.nextText())
                flushStandardOutput()
            } catch WebSocketClient.Failure.timedOut {
                continue  // A quiet feed is no reason to leave.
            } catch WebSocketClient.Failure.closed(let code) {
                throw CleanExit.message("The server closed the feed\(code.map { " with code \($0)" } ?? "").")
            }
        }
    }

    private struct Ended: Error, CustomStringConvertible {
        let description: String
    }
}
