import SQL
import Testing

@testable import Postgres

@Suite("The steps of a pipeline")
struct PipelineStepsTests {
    private let statement: SQLStatement = "SELECT 1"
    private let done = Reply.completed(SQLResult(rows: [], affectedRows: 0))
    private let refusal = Reply.refused(ServerError(sqlState: "42601", message: "syntax error", constraint: nil))

    @Test("a statement that cannot be prepared is told once, and forgotten")
    func failedPrepare() throws {
        var steps = PipelineSteps()
        steps.sent(statement, prepared: true)
        steps.sent("SELECT 2", prepared: false)
        steps.sentSync()
        var forgotten: [SQLStatement] = []
        var told: [String] = []
        for reply in [refusal, nil, .skipped, nil, .skipped, nil, .synced] {
            guard let reply else {
                steps.endOfReplies()
                continue
            }
            switch try steps.received(reply, forget: { forgotten.append($0) }) {
            case .statement(.refused): told.append("refused")
            case .statement(.skipped): told.append("skipped")
            case .statement: told.append("other")
            case .synced: told.append("synced")
            case nil: break
            }
        }
        #expect(told == ["refused", "skipped", "synced"])
        #expect(forgotten == [statement])
        #expect(steps.isEmpty)
    }

    @Test("a statement whose preparation was skipped is prepared again next time")
    func skippedPrepare() throws {
        var steps = PipelineSteps()
        steps.sent(statement, prepared: true)
        var forgotten: [SQLStatement] = []
        _ = try steps.received(.skipped, forget: { forgotten.append($0) })
        #expect(forgotten == [statement])
    }

    @Test("a reply that fits nothing that was sent gives the connection up")
    func outOfStep() {
        var steps = PipelineSteps()
        #expect(throws: PostgresFailure.self) { try steps.received(done, forget: { _ in }) }
        steps.sent(statement, prepared: false)
        #expect(throws: PostgresFailure.self) { try steps.received(.synced, forget: { _ in }) }
    }
}

@Suite("Prepared statements")
struct PreparedStatementsTests {
    @Test("an argument that was NULL first is prepared once more with its type, and then both fit")
    func learnsTypes() {
        var prepared = PreparedStatements()
        #expect(prepared.use("S", types: [TypeOID.any, TypeOID.int8]).isNew)
        let second = prepared.use("S", types: [TypeOID.text, TypeOID.any])
        #expect(second.isNew)
        #expect(second.types == [TypeOID.text, TypeOID.int8])
        #expect(!prepared.use("S", types: [TypeOID.any, TypeOID.int8]).isNew)
        #expect(!prepared.use("S", types: [TypeOID.text, TypeOID.int8]).isNew)
    }

    @Test("past the limit a statement gets no name")
    func nameLimit() {
        var prepared = PreparedStatements()
        for number in 0..<PreparedStatements.nameLimit { _ = prepared.use("S\(raw: String(number))", types: []) }
        #expect(prepared.use("one more", types: []).name == [0])
    }
}

@Suite("Back-off")
struct BackoffTests {
    @Test("waits double from 100 ms to 2 s, and start over after a success")
    func doubles() {
        var backoff = Backoff()
        let waits = (0..<7).map { _ in backoff.next(fraction: 1) }
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) })
        backoff.reset()
        #expect(backoff.next(fraction: 0) == .milliseconds(50))
    }
}
