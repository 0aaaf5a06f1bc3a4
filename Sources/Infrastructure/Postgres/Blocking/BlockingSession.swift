import Glibc
import SQL

/// A connection used by one thread that blocks for each answer, opened when needed and again when lost.
///
/// Not Sendable: it belongs to the thread that made it. Every wait has a deadline.
final class BlockingSession {
    private let configuration: PostgresConfiguration
    private let role: ConnectionRole
    private let log: ConnectionLog
    private let logID: Int
    private let clock = ContinuousClock()
    private var connection: PipelineConnection?
    /// Under way; kept when an attempt gave it up, so that there is one at a time.
    private var lookup: HostLookup?

    /// - Parameter logID: as which connection the log knows it.
    init(_ configuration: PostgresConfiguration, role: ConnectionRole, log: ConnectionLog, logID: Int) {
        self.configuration = configuration
        self.role = role
        self.log = log
        self.logID = logID
    }

    var isConnected: Bool { connection != nil }

    /// Runs statements as one segment, all or none, and gives their outcomes.
    /// - Parameter limit: for all of it; at its end the connection is given up.
    func run(_ statements: [BoundStatement], limit: Duration) throws(PostgresFailure) -> [StatementOutcome] {
        let deadline = clock.now + limit
        return try onConnection { connection throws(PostgresFailure) in
            try connection.send(statements)
            var wantsWrite = try connection.sync()
            var outcomes: [StatementOutcome] = []
            while !connection.isIdle {
                try Self.wait(connection.socket, writable: wantsWrite, until: deadline, clock)
                try connection.receive { outcome in
                    if case .statement(let outcome) = outcome { outcomes.append(outcome) }
                }
                if wantsWrite { wantsWrite = try connection.flush() }
            }
            return outcomes
        }
    }

    /// Runs a text of several statements without arguments.
    func runScript(_ script: String, limit: Duration) throws(PostgresFailure) {
        let deadline = clock.now + limit
        var failure: ServerError?
        try onConnection { connection throws(PostgresFailure) in
            try connection.withoutPipeline { connection throws(PostgresFailure) in
                try connection.sendScript(script)
                var wantsWrite = try connection.flush()
                while true {
                    while wantsWrite || connection.isBusy {
                        try Self.wait(connection.socket, writable: wantsWrite, until: deadline, clock)
                        try connection.consumeInput()
                        if wantsWrite { wantsWrite = try connection.flush() }
                    }
                    guard let reply = try connection.nextReply() else { break }
                    if case .refused(let error) = reply { failure = failure ?? error }
                }
            }
        }
        if let failure { throw .refused(failure) }
    }

    /// Opens the connection if there is none, trying for as long as a call may wait during an outage.
    func connect() throws(PostgresFailure) {
        guard connection == nil else { return }
        let deadline = clock.now + configuration.outageTimeLimit
        var backoff = Backoff()
        while true {
            do throws(PostgresFailure) {
                connection = try open(until: deadline)
                log.opened(logID)
                return
            } catch {
                log.lost(logID, error.reason)
                let pause = backoff.next()
                guard clock.now + pause < deadline else { throw error }
                usleep(UInt32(pause.inMilliseconds * 1000))
            }
        }
    }

    func close() {
        connection = nil
    }

    private func open(until deadline: ContinuousClock.Instant) throws(PostgresFailure) -> PipelineConnection {
        let addresses = try addresses(until: deadline)
        let connection = try Connection(configuration.connectionParameters(role, at: addresses))
        var isWriting = true
        while true {
            try Self.wait(connection.socket, writable: isWriting, readable: !isWriting, until: deadline, clock)
            switch try connection.continueConnecting() {
            case .wantsRead: isWriting = false
            case .wantsWrite: isWriting = true
            case .open: return try PipelineConnection(connection)
            }
        }
    }

    private func addresses(until deadline: ContinuousClock.Instant) throws(PostgresFailure) -> [String: [String]] {
        guard !configuration.hostNames.isEmpty else { return [:] }
        let lookup: HostLookup
        if let underWay = self.lookup {
            lookup = underWay
        } else {
            lookup = try HostLookup(configuration.hostNames, with: configuration.resolve)
        }
        self.lookup = lookup
        guard let addresses = lookup.wait(for: deadline - clock.now) else {
            throw .lost("the host name was not resolved in time")
        }
        self.lookup = nil
        return addresses
    }

    private func onConnection<Outcome>(
        _ body: (PipelineConnection) throws(PostgresFailure) -> Outcome
    ) throws(PostgresFailure) -> Outcome {
        try connect()
        guard let connection else { throw .lost("no connection") }
        do throws(PostgresFailure) {
            return try body(connection)
        } catch {
            self.connection = nil
            log.lost(logID, error.reason)
            throw error
        }
    }

    private static func wait(
        _ socket: Int32,
        writable: Bool,
        readable: Bool = true,
        until deadline: ContinuousClock.Instant,
        _ clock: ContinuousClock
    ) throws(PostgresFailure) {
        var watched = pollfd()
        watched.fd = socket
        watched.events = Int16((readable ? POLLIN : 0) | (writable ? POLLOUT : 0))
        while true {
            let rest = (deadline - clock.now).inMilliseconds
            guard rest > 0 else { throw .lost("no answer in time") }
            let status = poll(&watched, 1, Int32(clamping: rest))
            if status > 0 { return }
            guard status == 0 || errno == EINTR else { throw .lost("the socket cannot be polled") }
        }
    }
}

extension PostgresFailure {
    var reason: String {
        switch self {
        case .lost(let reason), .undecodable(let reason): reason
        case .refused(let error): error.message
        }
    }
}
