import CPostgres

/// Where the database is and how much of it to use.
///
/// Its parts are never printed: they hold the password.
package struct PostgresConfiguration: Sendable {
    /// Connections that share the reads. More make smaller batches, which cost both sides more CPU for each read (with 8
    /// callers on two cores 33 µs for two, 40 for four); with one alone a slow read holds up all the others.
    /// At least 1.
    package var readConnections = 2
    /// Connections that share the batches, at most: one is kept open, the others while they are needed. Each commit waits for the disk, and commits of several connections share one
    /// flush: with 64 callers 16 did three times the batches of 4, for two thirds of the server's CPU.
    /// At least 1.
    package var writeConnections = 16
    /// How long a connection for batches that is not kept open stays so without work: through the pauses of a busy server.
    package var idleLimit = Duration.seconds(60)
    /// How many reads travel together at most, which bounds what one failing read makes run again.
    package var readsPerSegment = 64
    /// How many batches one connection has under way. More gained nothing over more connections, and a batch behind a slow
    /// one would wait although another connection is free.
    package var batchDepth = 1
    /// How many batches that allow it share a transaction at most, which bounds what one failing batch makes run again.
    package var batchesPerGroup = 64
    /// Connections for transactions, at most, each with a thread; opened when first needed.
    package var transactionConnections = 4
    /// How many calls of each kind may wait for a connection; one more is refused as unavailable.
    package var waitingCalls = 4096
    /// The server ends a statement that runs longer; 503 before a client's usual patience of 10 s.
    package var statementTimeLimit = Duration.seconds(5)
    /// From call to answer, waiting included. More than a statement may take, so that the server answers first.
    package var callTimeLimit = Duration.seconds(10)
    /// How long one attempt to connect may take, and how long a call waits while there is no connection at all.
    package var outageTimeLimit = Duration.seconds(2)

    /// Replaced in tests.
    var resolve = HostLookup.system

    /// Hosts that only a resolver can find: neither addresses nor sockets.
    let hostNames: [String]
    private let parameters: [(keyword: String, value: String)]

    /// - Parameter connection: a URL (`postgresql://user:password@host:5432/database`) or libpq's `key=value` form.
    /// - Throws: ``PostgresConfigurationError`` if libpq cannot read it.
    package init(
        _ connection: String,
        applicationName: String = "martlet"
    ) throws(PostgresConfigurationError) {
        // libpq's own message quotes the part it stumbled over, which may be the password: it is not passed on.
        guard let options = PQconninfoParse(connection, nil) else { throw PostgresConfigurationError() }
        defer { PQconninfoFree(options) }
        var given: [(keyword: String, value: String)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                given.append((String(cString: keyword), String(cString: value)))
            }
            option += 1
        }
        if !given.contains(where: { $0.keyword == "application_name" }) {
            given.append(("application_name", applicationName))
        }
        parameters = given
        let hosts = Self.list(given, "host") ?? []
        hostNames = Self.list(given, "hostaddr") == nil ? hosts.filter(Self.isName) : []
    }

    private static func isName(_ host: String) -> Bool {
        !host.isEmpty && !host.hasPrefix("/") && !host.hasPrefix("@") && !HostLookup.isAddress(host)
    }

    /// libpq takes several hosts, addresses and ports, with commas between them.
    private static func list(_ parameters: [(keyword: String, value: String)], _ keyword: String) -> [String]? {
        parameters.last { $0.keyword == keyword }?.value.split(separator: ",", omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// Host and port, for logs.
    package var endpoint: String {
        "\(self["host"] ?? self["hostaddr"] ?? "local socket"):\(self["port"] ?? "5432")"
    }

    private subscript(keyword: String) -> String? {
        parameters.last { $0.keyword == keyword }?.value
    }

    /// What libpq gets: ours first, since what the operator wrote wins.
    func connectionParameters(_ role: ConnectionRole) -> [(keyword: String, value: String)] {
        let session = sessionSettings(role).map { "-c \($0)=\($1)" }.joined(separator: " ")
        let options = [session, self["options"]].compactMap { $0 }.joined(separator: " ")
        let ours = Self.networkDefaults.filter { self[$0.keyword] == nil }
        let theirs = parameters.filter { $0.keyword != "options" && $0.keyword != "client_encoding" }
        return ours + theirs + [("options", options), ("client_encoding", "UTF8")]
    }

    /// What libpq gets so that it asks no resolver: each host once for each of its addresses, which it tries in turn. The
    /// name stays beside the address, for certificates and password files.
    /// - Parameter addresses: of ``hostNames``.
    /// - Throws: ``PostgresFailure/lost(_:)`` if no host has an address.
    func connectionParameters(
        _ role: ConnectionRole,
        at addresses: [String: [String]]
    ) throws(PostgresFailure) -> [(keyword: String, value: String)] {
        let parameters = connectionParameters(role)
        guard !hostNames.isEmpty, let hosts = Self.list(parameters, "host") else { return parameters }
        let ports = Self.list(parameters, "port") ?? [""]
        // libpq says what is wrong with another number of ports.
        guard ports.count == 1 || ports.count == hosts.count else { return parameters }
        var places: [(host: String, address: String, port: String)] = []
        for (index, host) in hosts.enumerated() {
            let port = ports.count == 1 ? ports[0] : ports[index]
            // An empty address leaves it at the host, which is an address itself or a socket.
            places += (hostNames.contains(host) ? addresses[host] ?? [] : [""]).map { (host, $0, port) }
        }
        guard !places.isEmpty else { throw .lost("the host name has no address") }
        return parameters.filter { !["host", "port"].contains($0.keyword) } + [
            ("host", places.map(\.host).joined(separator: ",")),
            ("hostaddr", places.map(\.address).joined(separator: ",")),
            ("port", places.map(\.port).joined(separator: ",")),
        ]
    }

    /// A peer that vanished without a word is noticed within about 10 s, idle or not.
    private static let networkDefaults: [(keyword: String, value: String)] = [
        ("connect_timeout", "2"),
        ("keepalives", "1"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "10000"),
    ]

    private func sessionSettings(_ role: ConnectionRole) -> [(name: String, value: String)] {
        var settings = [
            ("statement_timeout", String(statementTimeLimit.inMilliseconds)),
            ("idle_in_transaction_session_timeout", String((callTimeLimit * 2).inMilliseconds)),
            // Compiling costs tens of milliseconds; no statement of ours runs long enough to earn that back.
            ("jit", "off"),
        ]
        switch role {
        case .read:
            // Turns a write that was given to `read` into an error instead of a change made twice.
            settings.append(("default_transaction_read_only", "on"))
        case .write, .transaction:
            break
        case .lease:
            // The server gives the lock up about as fast as the holder notices that it has lost it.
            settings += [
                ("tcp_keepalives_idle", "2"), ("tcp_keepalives_interval", "1"), ("tcp_keepalives_count", "2"),
            ]
        }
        return settings
    }
}

enum ConnectionRole: String, Hashable, Sendable {
    case read
    case write
    case transaction
    case lease
}

/// The connection string cannot be read. Says no more: the string holds the password.
package struct PostgresConfigurationError: Error, CustomStringConvertible {
    package var description: String {
        "it is no PostgreSQL connection string, such as postgresql://user:password@host:port/database"
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "PostgreSQL at \(endpoint)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["endpoint": endpoint]) }
}

extension Duration {
    var inMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
