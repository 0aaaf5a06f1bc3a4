import HTTPTypes
import TestSupport
import Testing

@testable import RestServerKit

@Suite("Registration, login and sessions")
struct AuthTests {
    private static let right = #""password":"\#(Services.password)""#

    @Test("Registration makes an account that is signed in")
    func register() async throws {
        try await API.run { api in
            let answer = try await api.send(
                .post,
                "/v1/auth/register",
                #"{"username":"Alice","email":"Alice@Example.ORG","displayName":"Alice","role":"user",\#(Self.right)}"#
            )
            #expect(answer.status == 201)
            let user = answer.json["user"]
            #expect(user["username"].text == "alice")
            #expect(user["email"].text == "Alice@example.org")
            #expect(user["role"].text == "user")
            #expect(answer.json["expiresIn"].number == 3600)
            #expect(answer.headers[.location] == "/v1/users/\(user["id"].text ?? "")")
            let me = try await api.send(.get, "/v1/users/me", as: try Someone(answer))
            #expect(me.json == user)
        }
    }

    @Test("A registration that breaks rules is 422 and names every one of them")
    func invalidRegistration() async throws {
        try await API.run { api in
            let answer = try await api.send(
                .post,
                "/v1/auth/register",
                #"{"username":"1","password":"short","email":"nobody","role":"king"}"#
            )
            #expect(answer.status == 422)
            #expect(
                answer.fields.sorted() == [
                    "email:invalid_format", "password:too_short", "role:unknown_value", "username:too_short",
                ]
            )
        }
    }

    @Test("A name or an address that is taken is 409")
    func conflicts() async throws {
        try await API.run { api in
            let first = #"{"username":"alice","email":"a@example.org",\#(Self.right)}"#
            #expect(try await api.send(.post, "/v1/auth/register", first).status == 201)
            let sameName = try await api.send(.post, "/v1/auth/register", #"{"username":"ALICE",\#(Self.right)}"#)
            #expect(sameName.status == 409)
            #expect(sameName.error == "username_taken")
            let sameAddress = try await api.send(
                .post,
                "/v1/auth/register",
                #"{"username":"bob","email":"a@example.org",\#(Self.right)}"#
            )
            #expect(sameAddress.error == "email_taken")
        }
    }

    @Test("Only an admin may make an admin")
    func adminRole() async throws {
        try await API.run { api in
            let request = #"{"username":"second","role":"admin",\#(Self.right)}"#
            let alice = try await api.someone("alice")
            for caller in [nil, alice] {
                let refused = try await api.send(.post, "/v1/auth/register", as: caller, request)
                #expect(refused.status == 403)
                #expect(refused.error == "role_not_allowed")
            }
            let bad = try await api.send(.post, "/v1/auth/register", as: Someone(token: "bad"), request)
            #expect(bad.status == 401)
            let made = try await api.send(.post, "/v1/auth/register", as: try await api.admin(), request)
            #expect(made.status == 201)
            #expect(made.json["user"]["role"].text == "admin")
        }
    }

    @Test("Login takes the name in any case")
    func login() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let answer = try await api.send(.post, "/v1/auth/login", #"{"username":"ALICE",\#(Self.right)}"#)
            #expect(answer.status == 200)
            #expect(answer.json["user"]["id"].text == alice.id)
        }
    }

    @Test("An unknown name and a wrong password get the same 401")
    func wrongCredentials() async throws {
        try await API.run { api in
            _ = try await api.someone("alice")
            let id: HTTPFields = [.requestID: "same"]
            func logIn(_ name: String) async throws -> Answer {
                try await api.send(.post, "/v1/auth/login", #"{"username":"\#(name)","password":"no"}"#, headers: id)
            }
            let wrong = try await logIn("alice")
            let unknown = try await logIn("bob")
            let noName = try await logIn("!")
            #expect(wrong.status == 401)
            #expect(wrong.error == "invalid_credentials")
            #expect(wrong.body == unknown.body)
            #expect(wrong.body == noName.body)
            #expect(wrong.headers[.wwwAuthenticate] == #"Bearer realm="martlet""#)
        }
    }

    @Test("A refresh token is good once; when it comes back its session ends")
    func refresh() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let exchange = #"{"refreshToken":"\#(alice.refreshToken)"}"#
            let first = try await api.send(.post, "/v1/auth/refresh", exchange)
            #expect(first.status == 200)
            let renewed = try Someone(first)
            #expect(renewed.id == alice.id)
            #expect(renewed.refreshToken != alice.refreshToken)
            #expect(try await api.send(.get, "/v1/users/me", as: renewed).status == 200)

            let reused = try await api.send(.post, "/v1/auth/refresh", exchange)
            #expect(reused.status == 401)
            #expect(reused.error == "refresh_token_reused")
            let after = try await api.send(.get, "/v1/users/me", as: renewed)
            #expect(after.status == 401)
            #expect(after.error == "session_revoked")
            let next = try await api.send(.post, "/v1/auth/refresh", #"{"refreshToken":"\#(renewed.refreshToken)"}"#)
            #expect(next.status == 401)
        }
    }

    @Test("What is no refresh token of ours is 401")
    func foreignRefreshToken() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            for token in ["", "x", alice.token, alice.refreshToken + "x"] {
                let answer = try await api.send(.post, "/v1/auth/refresh", #"{"refreshToken":"\#(token)"}"#)
                #expect(answer.status == 401)
                #expect(answer.error == "invalid_refresh_token")
            }
        }
    }

    @Test("Logout kills both tokens of this session, and of no other")
    func logout() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            let login = try await api.send(.post, "/v1/auth/login", #"{"username":"alice",\#(Self.right)}"#)
            #expect(try await api.send(.post, "/v1/auth/logout", as: alice).status == 204)
            let after = try await api.send(.get, "/v1/users/me", as: alice)
            #expect(after.status == 401)
            #expect(after.error == "session_revoked")
            let refresh = try await api.send(.post, "/v1/auth/refresh", #"{"refreshToken":"\#(alice.refreshToken)"}"#)
            #expect(refresh.status == 401)
            #expect(try await api.send(.get, "/v1/users/me", as: try Someone(login)).status == 200)
        }
    }

    @Test("An access token ends after its time")
    func expiry() async throws {
        try await API.run { api in
            let alice = try await api.someone("alice")
            #expect(try await api.send(.get, "/v1/users/me", as: alice).status == 200)
            api.services.stores.clock.advance(by: .seconds(3601))
            let answer = try await api.send(.get, "/v1/users/me", as: alice)
            #expect(answer.status == 401)
            #expect(answer.error == "token_expired")
        }
    }
}
