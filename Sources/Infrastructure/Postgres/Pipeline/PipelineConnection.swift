import SQL

/// A connection in pipeline mode that tells the outcome of each statement. Confined to one thread.
final class PipelineConnection {
    private let connection: Connection
    private var steps = PipelineSteps()

    /// - Parameter connection: just opened.
    init(_ connection: Connection) throws(PostgresFailure) {
        self.connection = connection
        try connection.setPipelineMode(true)
    }

    var socket: Int32 { connection.socket }
    var isIdle: Bool { steps.isEmpty }

    /// Queues statements that belong to the segment which ``sync()`` ends.
    func send(_ statements: [BoundStatement]) throws(PostgresFailure) {
        for bound in statements {
            let isNew = try connection.send(bound.statement, bound.arguments)
            steps.sent(bound.statement, prepared: isNew)
        }
    }

    /// - Returns: whether something is left to send once the socket takes it.
    func sync() throws(PostgresFailure) -> Bool {
        try connection.sendSync()
        steps.sentSync()
        return try connection.flush()
    }

    func flush() throws(PostgresFailure) -> Bool {
        try connection.flush()
    }

    /// Reads what has arrived.
    func receive(_ tell: (PipelineSteps.Outcome) -> Void) throws(PostgresFailure) {
        try connection.consumeInput()
        while !steps.isEmpty, !connection.isBusy {
            guard let reply = try connection.nextReply() else {
                steps.endOfReplies()
                continue
            }
            if let outcome = try steps.received(reply, forget: connection.forget) { tell(outcome) }
        }
    }

    /// Runs `body` outside pipeline mode, which only an idle connection can leave.
    func withoutPipeline(_ body: (Connection) throws(PostgresFailure) -> Void) throws(PostgresFailure) {
        try connection.setPipelineMode(false)
        try body(connection)
        try connection.setPipelineMode(true)
    }
}
