import Application
import Domain
import HTTPTypes
import TestSupport
import Testing

@testable import RestServerKit

/// What holds for every route.
@Suite("HTTP manners")
struct MannersTests {
    @Test("An unknown path is a 404 problem")
    func unknownPath() async throws {
        try await API.run { api in
            for path in ["/", "/v1", "/v1/nothing", "/v1/posts/1/2", "/V1/users/me"] {
                let answer = try await api.send(.get, path)
                #expect(answer.status == 404)
                #expect(answer.error == "not_found")
                #expect(answer.json["requestId"].text == answer.headers[.requestID])
            }
        }
    }

    @Test("A known path with another method is 405 and names those it takes")
    func wrongMethod() async throws {
        try await API.run { api in
            let answer = try await api.send(.put, "/v1/posts/1")
            #expect(answer.status == 405)
            #expect(answer.error == "method_not_allowed")
            #expect(answer.headers[.allow] == "DELETE, GET, HEAD")
            #expect(try await api.send(.get, "/v1/auth/login").headers[.allow] == "POST")
            #expect(try await api.send(.post, "/v1/users/me").headers[.allow] == "DELETE, GET, HEAD, PATCH")
        }
    }

    @Test("HEAD answers as GET does, without the body")
    func head() async throws {
        try await API.run { api in
            let get = try await api.send(.get, "/health")
            let head = try await api.send(.head, "/health")
            #expect(head.status == 200)
            #expect(head.body == "")
            #expect(head.headers[.contentLength] == "\(get.body.utf8.count)")
            let missing = try await api.send(.head, "/v1/users/me")
            #expect(missing.status == 401)
            #expect(missing.body == "")
        }
    }

    @Test("A request id that was sent comes back; one unfit for a log is replaced")
    func requestID() async throws {
        try await API.run { api in
            let sent = try await api.send(.get, "/health", headers: [.requestID: "client-1.a_B"])
            #expect(sent.headers[.requestID] == "client-1.a_B")
            for unfit in ["with space", "quote\"", String(repeating: "a", count: 129), ""] {
                let answer = try await api.send(.get, "/v1/nothing", headers: [.requestID: unfit])
                #expect(answer.headers[.requestID] != unfit)
                #expect(answer.json["requestId"].text == answer.headers[.requestID])
            }
            let first = try await api.send(.get, "/health").headers[.requestID]
            #expect(try await api.send(.get, "/health").headers[.requestID] != first)
        }
    }

    @Test("An Accept header that rules out JSON is 406")
    func notAcceptable() async throws {
        try await API.run { api in
            for accept in ["text/html", "text/*, image/png", "application/json;q=0", "application/xml; q=0.9"] {
                let answer = try await api.send(.get, "/v1/users/me", headers: [.accept: accept])
                #expect(answer.status == 406, "\(accept)")
            }
            for accept in ["*/*", "application/json", "text/html, application/*;q=0.8", "text/html,*/*;q=0.1"] {
                let answer = try await api.send(.get, "/v1/users/me", headers: [.accept: accept])
                #expect(answer.status == 401, "\(accept)")
            }
        }
    }

    @Test("A body that is not declared as JSON is 415")
    func wrongType() async throws {
        try await API.run { api in
            let types = ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "json"]
            for type in types {
                let answer = try await api.send(.post, "/v1/auth/login", "{}", headers: [.contentType: type])
                #expect(answer.status == 415, "\(type)")
                #expect(answer.error == "unsupported_media_type")
            }
            let compressed: HTTPFields = [.contentType: "application/json", .contentEncoding: "gzip"]
            #expect(try await api.send(.post, "/v1/auth/login", "{}", headers: compressed).status == 415)
            let accepted = try await api.send(
                .post,
                "/v1/auth/login",
                "{}",
                headers: [.contentType: "Application/JSON; charset=UTF-8"]
            )
            #expect(accepted.status == 422)
        }
    }

    @Test(
        "A body that is not a JSON object is 400",
        arguments: [
            "", "{", "[]", "\"text\"", "{\"username\":}", "{\"a\":1,\"a\":2}", "{\"a\":\"\u{1}\"}", "nonsense",
            String(repeating: "[", count: 10_000),
        ])
    func malformed(body: String) async throws {
        try await API.run { api in
            let answer = try await api.send(.post, "/v1/auth/login", body)
            #expect(answer.status == 400)
            #expect(answer.error == "malformed_json")
        }
    }

    @Test("A body that says it is beyond the limit is 413")
    func tooLarge() async throws {
        try await API.run { api in
            let text = String(repeating: "a", count: 70_000)
            let answer = try await api.send(.post, "/v1/auth/login", #"{"username":"\#(text)"}"#)
            #expect(answer.status == 413)
            #expect(answer.error == "body_too_large")
        }
    }

    @Test("Unknown, missing and mistyped fields are named together")
    func fields() async throws {
        try await API.run { api in
            let answer = try await api.send(
                .post,
                "/v1/auth/register",
                #"{"username":5,"email":["a"],"nickname":"x","admin":true}"#
            )
            #expect(answer.status == 422)
            #expect(
                answer.fields == [
                    "username:wrong_type", "password:required", "email:wrong_type", "admin:unknown_field",
                    "nickname:unknown_field",
                ]
            )
        }
    }

    @Test("A null where it says nothing counts as absent, and where it cannot is refused")
    func nulls() async throws {
        try await API.run { api in
            let registration = #"{"username":"alice","password":"\#(Services.password)","email":null,"role":null}"#
            #expect(try await api.send(.post, "/v1/auth/register", registration).status == 201)
            let answer = try await api.send(.post, "/v1/auth/login", #"{"username":null,"password":"x"}"#)
            #expect(answer.fields == ["username:wrong_type"])
        }
    }

    @Test("Credentials of another scheme are refused, and the scheme's case does not matter")
    func schemes() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let basic = try await api.send(.get, "/v1/users/me", headers: [.authorization: "Basic YTpi"])
            #expect(basic.status == 401)
            let lower = try await api.send(.get, "/v1/users/me", headers: [.authorization: "bearer \(alice.token)"])
            #expect(lower.status == 200)
        }
    }

    @Test("Work that is turned away is 503 with Retry-After")
    func overloaded() async throws {
        try await API.run(hasher: FullHasher()) { api in
            let answer = try await api.send(.post, "/v1/auth/login", #"{"username":"alice","password":"password"}"#)
            #expect(answer.status == 503)
            #expect(answer.error == "overloaded")
            #expect(answer.headers[.retryAfter] == "1")
        }
    }

    @Test("Every code of the application has its status", arguments: ApplicationError.Code.allCases)
    func statuses(code: ApplicationError.Code) {
        let problem = Problem(ApplicationError(code, "word", "Message.", detail: "private"))
        let expected: [ApplicationError.Code: HTTPResponse.Status] = [
            .malformed: .badRequest, .unauthenticated: .unauthorized, .forbidden: .forbidden, .notFound: .notFound,
            .conflict: .conflict, .invalid: .unprocessableContent, .overloaded: .serviceUnavailable,
            .unavailable: .serviceUnavailable, .defect: .internalServerError,
        ]
        #expect(problem.status == expected[code])
        #expect(!problem.detail.contains("private"))
        #expect((problem.headers[.retryAfter] != nil) == (problem.status == .serviceUnavailable))
        #expect((problem.headers[.wwwAuthenticate] != nil) == (problem.status == .unauthorized))
    }
}

/// A hasher whose queue is full.
private struct FullHasher: PasswordHasher {
    private let refusal = ApplicationError(.overloaded, "overloaded", "Too many logins at once.")

    func hash(_: Password) async throws -> PasswordHash { throw refusal }
    func verify(_: Password, against _: PasswordHash) async throws -> Bool { throw refusal }
    var decoy: PasswordHash { PasswordHash(phcString: "$none") }
}
