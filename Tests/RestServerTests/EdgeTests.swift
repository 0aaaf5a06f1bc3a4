import Application
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import RestServerKit

@Suite("The layer around every route")
struct EdgeTests {
    private struct Surprise: Error {}

    @Test("An error nobody foresaw is an opaque 500 with every header, and is logged once with the request's id")
    func defect() async throws {
        let log = RecordedLog()
        let response = try await answer(log: log) { throw Surprise() }
        #expect(response.status == .internalServerError)
        let problem = try JSON(parsing: String(buffer: response.body))
        #expect(problem["error"].text == "internal_error")
        #expect(!String(buffer: response.body).contains("Surprise"))
        #expect(response.headers[.contentTypeOptions] == "nosniff")
        let errors = log.lines.filter { $0.level >= .warning }
        #expect(errors.count == 1)
        #expect(errors.first?.level == .error)
        #expect(errors.first?.metadata["request"] == response.headers[.requestID])
        #expect(errors.first?.metadata["error"] == "Surprise()")
    }

    @Test("A dependency that is out is 503, and its detail goes to the log alone")
    func unavailable() async throws {
        let log = RecordedLog()
        let response = try await answer(log: log) { throw ApplicationError.unavailable("database", detail: "refused") }
        #expect(response.status == .serviceUnavailable)
        #expect(response.headers[.retryAfter] == "5")
        #expect(!String(buffer: response.body).contains("refused"))
        let warnings = log.lines.filter { $0.level == .warning }
        #expect(warnings.map { $0.metadata["error"] } == ["database_unavailable: refused"])
    }

    @Test("A request is one line in the log, with the template of its path and not the path")
    func accessLog() async throws {
        let log = RecordedLog()
        let response = try await answer(log: log) { Response(status: .ok) }
        #expect(response.status == .ok)
        #expect(log.lines.count == 1)
        let line = try #require(log.lines.first)
        #expect(line.metadata["method"] == "GET")
        #expect(line.metadata["route"] == "/things/{name}")
        #expect(line.metadata["status"] == "200")
        #expect(line.metadata["request"] == response.headers[.requestID])
        #expect(!line.metadata.values.contains { $0.contains("secret") })
    }

    /// What `GET /things/secret?q=secret` gets from a server whose one route runs `route`.
    private func answer(
        log: RecordedLog,
        _ route: @escaping @Sendable () throws -> Response
    ) async throws -> TestResponse {
        let router = Router(context: MartletRequestContext.self)
        router.get("/things/{name}") { _, _ in try route() }
        let edge = Edge(routes: router.buildResponder(), logger: log.logger)
        return try await Hummingbird.Application(responder: edge, logger: log.logger).test(.router) { client in
            try await client.executeRequest(uri: "/things/secret?q=secret", method: .get, headers: [:], body: nil)
        }
    }
}

/// Keeps what is logged at info and above.
final class RecordedLog: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let recorded = Mutex<[Line]>([])

    var lines: [Line] { recorded.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = Line(
                level: event.level,
                message: "\(event.message)",
                metadata: (event.metadata ?? [:]).mapValues { "\($0)" }
            )
            log.recorded.withLock { $0.append(line) }
        }
    }
}
