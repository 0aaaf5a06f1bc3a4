import CPostgres
import Glibc
import SQL

/// One libpq connection in non-blocking mode, and nothing but libpq. Not Sendable: it lives and dies on the thread that
/// made it.
final class Connection {
    enum Progress {
        case wantsRead
        case wantsWrite
        case open
    }

    private let handle: OpaquePointer
    private var parameters = ParameterBuffer()
    private var prepared = PreparedStatements()

    /// Starts to connect; ``continueConnecting()`` goes on when the socket is ready.
    init(_ settings: [(keyword: String, value: String)]) throws(PostgresFailure) {
        let handle = Self.withCStrings(settings.map(\.keyword)) { keywords in
            Self.withCStrings(settings.map(\.value)) { values in
                PQconnectStartParams(keywords, values, 0)
            }
        }
        guard let handle else { throw .lost("out of memory") }
        self.handle = handle
        martlet_silence_notices(handle)
        if PQstatus(handle) == CONNECTION_BAD { throw lost() }
    }

    deinit {
        PQfinish(handle)
    }

    /// The descriptor to watch. May change while connecting, as libpq goes through the host's addresses.
    var socket: Int32 { PQsocket(handle) }

    func continueConnecting() throws(PostgresFailure) -> Progress {
        switch PQconnectPoll(handle) {
        case PGRES_POLLING_READING: return .wantsRead
        case PGRES_POLLING_WRITING: return .wantsWrite
        case PGRES_POLLING_OK:
            guard PQsetnonblocking(handle, 1) == 0 else { throw lost() }
            return .open
        default: throw lost()
        }
    }

    /// In pipeline mode statements are sent without waiting for the answers to those before.
    func setPipelineMode(_ isOn: Bool) throws(PostgresFailure) {
        guard (isOn ? PQenterPipelineMode(handle) : PQexitPipelineMode(handle)) == 1 else { throw lost() }
    }

    /// Queues what it takes to run a statement; only in pipeline mode.
    /// - Returns: whether the statement had to be prepared first, which has a result of its own.
    func send(_ statement: SQLStatement, _ arguments: [SQLValue]) throws(PostgresFailure) -> Bool {
        parameters.encode(arguments)
        let use = prepared.use(statement, types: parameters.types)
        if use.isNew {
            let status = PQsendPrepare(handle, use.name, statement.text, Int32(arguments.count), use.types)
            guard status == 1 else { throw lost() }
        }
        let status = parameters.withPointers { values, lengths, formats in
            PQsendQueryPrepared(handle, use.name, Int32(arguments.count), values, lengths, formats, 1)
        }
        guard status == 1 else { throw lost() }
        return use.isNew
    }

    /// Runs a text of several statements; only outside pipeline mode.
    func sendScript(_ script: String) throws(PostgresFailure) {
        guard PQsendQuery(handle, script) == 1 else { throw lost() }
    }

    /// Ends a segment of the pipeline, whose statements are one transaction, and sends what is queued.
    func sendSync() throws(PostgresFailure) {
        guard PQpipelineSync(handle) == 1 else { throw lost() }
    }

    /// - Returns: whether something is left to send once the socket takes it.
    func flush() throws(PostgresFailure) -> Bool {
        switch PQflush(handle) {
        case 0: return false
        case 1: return true
        default: throw lost()
        }
    }

    /// Takes what the socket has.
    func consumeInput() throws(PostgresFailure) {
        guard PQconsumeInput(handle) == 1 else { throw lost() }
    }

    /// Whether ``nextReply()`` would wait for the server.
    var isBusy: Bool { PQisBusy(handle) == 1 }

    /// - Returns: nil between the replies to two commands.
    func nextReply() throws(PostgresFailure) -> Reply? {
        guard let result = PQgetResult(handle) else {
            if PQstatus(handle) == CONNECTION_BAD { throw lost() }
            return nil
        }
        guard let reply = try Reply(result) else { throw lost() }
        return reply
    }

    /// Forgets that a statement is prepared: it was not, or its plan is stale.
    func forget(_ statement: SQLStatement) {
        prepared.forget(statement)
    }

    private func lost() -> PostgresFailure {
        let message = String(cString: PQerrorMessage(handle))
        return .lost(message.split(separator: "\n").first.map(String.init) ?? "connection lost")
    }

    private static func withCStrings<Outcome>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Outcome?
    ) -> Outcome? {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
    }
}
