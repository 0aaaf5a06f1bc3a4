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

    func rest(port: Int) {
        restPort = port
        printIfComplete()
    }

    func live(port: Int) {
        livePort = port
        printIfComplete()
    }

    private func printIfComplete() {
        guard let restPort, let livePort else { return }
        let rest = "http://127.0.0.1:\(restPort)"
        print(
            """

            Martlet is up. Data is kept in \(dataFolder).
              REST       \(rest)/v1
              Live feed  ws://127.0.0.1:\(livePort)/v1/live
              API        \(rest)\(hasDocs ? "/docs" : "/openapi.yaml")

            """
        )
        print(Self.trial(rest: rest, live: "ws://127.0.0.1:\(livePort)/v1/live"))
    }

    private static func trial(rest: String, live: String) -> String {
        ""
    }
}
