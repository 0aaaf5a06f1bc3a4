import APIModel
import Application
import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// Any answer that is not the one asked for: a status, a word for programs, a sentence for people, and headers.
struct Problem: Error, Sendable {
    let status: HTTPResponse.Status
    let word: String
    let detail: String
    var fields: [Violation] = []
    var headers: HTTPFields = [:]

    func response(requestID: String) -> Response {
        let body = body(requestID: requestID)
        return Response(status: status, headers: responseHeaders, body: ResponseBody(byteBuffer: body))
    }

    func body(requestID: String) -> ByteBuffer {
        let model = ProblemResponse(
            status: status.code,
            title: status.reasonPhrase,
            error: word,
            detail: detail,
            fields: fields
        )
        var json = JSONWriter()
        model.write(requestID: requestID, to: &json)
        return ByteBuffer(bytes: json.bytes)
    }

    var responseHeaders: HTTPFields {
        var headers = Self.commonHeaders
        headers.append(contentsOf: self.headers)
        return headers
    }

    private static let commonHeaders: HTTPFields = [
        .contentType: ProblemResponse.contentType,
        .cacheControl: "no-store",
    ]
}

// MARK: What the HTTP side itself refuses

extension Problem {
    static func malformed(_ word: String, _ detail: String) -> Problem {
        Problem(status: .badRequest, word: word, detail: detail)
    }

    /// Nobody said who they are. RFC 6750, 3.1: such a challenge carries no error code.
    static let missingCredentials = Problem(
        status: .unauthorized,
        word: "missing_credentials",
        detail: "Send an access token: Authorization: Bearer <token>.",
        headers: [.wwwAuthenticate: challenge]
    )

    static let notFound = Problem(status: .notFound, word: "not_found", detail: "There is nothing at this path.")

    static func methodNotAllowed(allowed: [String]) -> Problem {
        let list = allowed.joined(separator: ", ")
        return Problem(
            status: .methodNotAllowed,
            word: "method_not_allowed",
            detail: "This path takes \(list).",
            headers: [.allow: list]
        )
    }

    static let notAcceptable = Problem(
        status: .notAcceptable,
        word: "not_acceptable",
        detail: "Responses are application/json; the Accept header rules that out."
    )

    static let bodyTimeout = Problem(
        status: .requestTimeout,
        word: "body_timeout",
        detail: "The body took too long to arrive."
    )

    static let malformedRequest = malformed("malformed_request", "This is not HTTP/1.1.")

    static let headersTooLarge = Problem(
        status: .requestHeaderFieldsTooLarge,
        word: "headers_too_large",
        detail: "The request's head is too large."
    )

    static func bodyTooLarge(limitBytes: Int) -> Problem {
        Problem(
            status: .contentTooLarge,
            word: "body_too_large",
            detail: "The body may have at most \(limitBytes) bytes."
        )
    }

    static let unsupportedMediaType = Problem(
        status: .unsupportedMediaType,
        word: "unsupported_media_type",
        detail: "Send the body as application/json in UTF-8, without Content-Encoding.",
        headers: [.accept: "application/json"]
    )

    static func invalid(_ violations: [Violation]) -> Problem {
        Problem(ApplicationError.invalid(violations))
    }

    static let internalError = Problem(ApplicationError.defect(""))

    fileprivate static let challenge = #"Bearer realm="martlet""#
}

// MARK: What the application refuses

extension Problem {
    /// How long a client waits before it tries again: an overload is over as soon as a queue moved on, a dependency
    /// takes longer to come back.
    private static let overloadedRetrySeconds = "1"
    private static let unavailableRetrySeconds = "5"

    /// The one place where ``ApplicationError`` becomes HTTP.
    init(_ error: ApplicationError) {
        var headers: HTTPFields = [:]
        let status: HTTPResponse.Status
        switch error.code {
        case .malformed: status = .badRequest
        case .unauthenticated:
            status = .unauthorized
            headers[.wwwAuthenticate] = Self.challenge(for: error)
        case .forbidden: status = .forbidden
        case .notFound: status = .notFound
        case .conflict: status = .conflict
        case .invalid: status = .unprocessableContent
        case .overloaded:
            status = .serviceUnavailable
            headers[.retryAfter] = Self.overloadedRetrySeconds
        case .unavailable:
            status = .serviceUnavailable
            headers[.retryAfter] = Self.unavailableRetrySeconds
        case .defect: status = .internalServerError
        }
        self.init(status: status, word: error.word, detail: error.message, fields: error.violations, headers: headers)
    }

    /// RFC 6750, 3.1: `invalid_token` tells a client to get another token. A wrong password is no matter of tokens.
    private static func challenge(for error: ApplicationError) -> String {
        switch error.word {
        case "invalid_token", "token_expired", "session_revoked":
            #"\#(challenge), error="invalid_token", error_description="\#(error.message)""#
        default: challenge
        }
    }
}
