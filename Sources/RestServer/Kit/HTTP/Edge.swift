import APIModel
import Application
import HTTPTypes
package import Hummingbird
import Logging

/// The outermost layer, once for every request: gives it an id, turns whatever is thrown into a problem, sets the
/// headers that every response has, and writes the access log.
///
/// It is a responder around the router and not a middleware, so that nothing thrown can pass its headers by, and so that
/// a request passes one layer and not one for each duty.
package struct Edge<Routes: HTTPResponder<MartletRequestContext>>: HTTPResponder {
    let routes: Routes
    let logger: Logger

    package func respond(to request: Request, context: MartletRequestContext) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = RequestID.choose(sent: request.headers[.requestID])

        var response: Response
        do {
            if let accept = request.headers[.accept], !acceptsJSON(accept, path: request.uri.path) {
                throw Problem.notAcceptable
            }
            response = try await routes.respond(to: request, context: context)
        } catch let failure as BrokenConnection {
            throw failure.cause  // Nobody is left to answer; the server closes the connection.
        } catch {
            response = problem(for: error, requestID: context.requestID).response(requestID: context.requestID)
            if request.method == .head { response = response.createHeadResponse() }
        }
        response.headers.appendThoseOfEveryResponse(requestID: context.requestID)
        log(request, response, context, start: start)
        return response
    }

    /// The problem to answer with; logs what is ours to mend, here and nowhere else.
    private func problem(for error: any Error, requestID: String) -> Problem {
        if let problem = error as? Problem { return problem }
        let problem = (error as? ApplicationError).map(Problem.init) ?? Problem.internalError
        if problem.status.kind == .serverError {
            let isDefect = problem.status == .internalServerError
            logger.log(
                level: isDefect ? .error : .warning,
                isDefect ? "Request failed" : "Request turned away",
                metadata: ["request": "\(requestID)", "error": "\(LogDescription(error))"]
            )
        }
        return problem
    }

    private func log(
        _ request: Request,
        _ response: Response,
        _ context: MartletRequestContext,
        start: ContinuousClock.Instant
    ) {
        // Probes ask every few seconds and would bury what people do.
        let level: Logger.Level = request.uri.path.hasPrefix("/health") ? .debug : .info
        guard logger.logLevel <= level else { return }
        let duration = start.duration(to: .now).components
        logger.log(
            level: level,
            "Request",
            metadata: [
                "method": .string(request.method.rawValue),
                // The template and not the path: it groups, and holds no name or search term of a person.
                "route": .string(context.endpointPath ?? "-"),
                "status": .stringConvertible(response.status.code),
                "us": .stringConvertible(duration.seconds * 1_000_000 + duration.attoseconds / 1_000_000_000_000),
                "request": .string(context.requestID),
            ]
        )
    }

}

extension HTTPFields {
    mutating func appendThoseOfEveryResponse(requestID: String) {
        append(HTTPField(name: .requestID, value: requestID))
        append(noSniffing)
        if !contains(.contentSecurityPolicy) { append(nothingLoads) }
    }
}

private let noSniffing = HTTPField(name: .contentTypeOptions, value: "nosniff")
/// No response is a page that loads anything, but `/docs`, which sets its own.
private let nothingLoads = HTTPField(
    name: .contentSecurityPolicy,
    value: "default-src 'none'; frame-ancestors 'none'"
)

/// Whether JSON will do, for paths under `/v1`. Weights are not looked at but for a plain refusal.
private func acceptsJSON(_ accept: String, path: String) -> Bool {
    if accept == "*/*" || !path.hasPrefix("/v1/") { return true }
    return accept.split(separator: ",").contains { range in
        let parts = range.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
        guard let type = parts.first, !parts.dropFirst().contains(where: isZeroWeight) else { return false }
        return ["*/*", "application/*", "application/json", "application/problem+json"].contains(type)
    }
}

private func isZeroWeight(_ parameter: String) -> Bool {
    parameter.hasPrefix("q=0") && !parameter.contains { ("1"..."9").contains($0) }
}

/// The request's body could not be read to its end, since the connection broke or stopped being HTTP.
struct BrokenConnection: Error {
    let cause: any Error
}

extension HTTPField.Name {
    static let requestID = parsed("X-Request-Id")
    /// RFC 8288.
    static let link = parsed("Link")
    static let contentTypeOptions = parsed("X-Content-Type-Options")

    private static func parsed(_ name: String) -> HTTPField.Name {
        guard let parsed = HTTPField.Name(name) else { preconditionFailure("\(name) is no field name") }
        return parsed
    }
}
