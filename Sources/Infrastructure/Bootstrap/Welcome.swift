#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import ServiceLifecycle
import WebSocketServerKit

/// What the all-in-one server prints once both ports are open: where it is, and what to try first.
actor Welcome {
    private let dataFolder: String
    private let hasDocs: Bool
    private var restPort: Int?
    private var livePort: Int?

    init(dataFolder: String, hasDocs: Bool) {
        self.dataFolder = dataFolder
        self.hasDocs = hasDocs
    }

    func restListens(on port: Int) {
        restPort = port
        printIfComplete()
    }

    /// Learns the port of the live feed, and stays until the shutdown: a service that ends early ends them all.
    func waitFor(_ live: LiveServer) async throws {
        livePort = await live.boundPort
        printIfComplete()
        try await gracefulShutdown()
    }

    private func printIfComplete() {
        guard let restPort, let livePort else { return }
        let rest = "http://127.0.0.1:\(restPort)"
        let live = "ws://127.0.0.1:\(livePort)/v1/live"
        let executable = CommandLine.arguments.first ?? "martlet"
        let json = "-H 'Content-Type: application/json'"
        print(
            #"""

            Martlet is up. Its data is kept in \#(dataFolder).
              REST       \#(rest)/v1
              Live feed  \#(live)
              API        \#(rest)\#(hasDocs ? "/docs" : "/openapi.yaml")

            Try it, in another terminal. Ann and Bob register:
              for name in ann bob; do curl -s \#(rest)/v1/auth/register \#(json) \
                -d "{\"username\":\"$name\",\"password\":\"correct horse\"}" \
                | sed 's/.*"accessToken":"\([^"]*\)".*/\1/' > /tmp/$name.token; done

            Bob follows Ann and listens:
              curl -s -X PUT \#(rest)/v1/users/ann/follow -H "Authorization: Bearer $(cat /tmp/bob.token)"
              \#(executable) listen --url \#(live) < /tmp/bob.token

            In a third terminal Ann posts, and Bob sees it:
              curl -s \#(rest)/v1/posts -H "Authorization: Bearer $(cat /tmp/ann.token)" \#(json) \
                -d '{"text":"Hello from Ann"}'

            """#
        )
        fflush(nil)  // Standard output is kept back in blocks when it is not a terminal.
    }
}
