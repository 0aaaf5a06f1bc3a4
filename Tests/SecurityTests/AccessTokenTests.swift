import Application
import Crypto
import Domain
import Foundation
import MartletSecurity
import Testing

@Suite("Access tokens")
struct AccessTokenTests {
    @Test("what is written is read back", arguments: Role.allCases)
    func roundTrip(role: Role) async throws {
        let coder = try await aCoder()
        let token = try await coder.accessToken(claims(role: role))
        #expect(try await coder.verifyAccessToken(token, at: noon) == claims(role: role))
    }

    @Test("a token has RFC 9068's type and claims, with times in whole seconds")
    func shape() async throws {
        let end = noon.advanced(by: .milliseconds(9999))
        let token = try await aCoder(audience: "app").accessToken(claims(expiresAt: end))
        let header = try part(0, of: token)
        #expect(header as? [String: String] == ["alg": "HS256", "typ": "at+jwt"])
        let payload = try part(1, of: token)
        #expect(payload["iss"] as? String == "https://martlet.test")
        #expect(payload["aud"] as? String == "app")
        #expect(payload["sub"] as? String == "42")
        #expect(payload["sid"] as? String == "9223372036854775807")
        #expect(payload["role"] as? String == "user")
        #expect(payload["preferred_username"] as? String == "ada_1")
        #expect(payload["iat"] as? Double == 1_780_000_000)
        #expect(payload["exp"] as? Double == 1_780_000_009)
        #expect((payload["jti"] as? String)?.count == 22)
        #expect(payload.count == 9)
    }

    @Test("the key is the configured secret itself, so that other services can check a token")
    func keyIsTheSecret() async throws {
        let token = try await aCoder().accessToken(claims())
        let end = try #require(token.lastIndex(of: "."))
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(token[..<end].utf8),
            using: SymmetricKey(data: Data(strongText.utf8))
        )
        #expect(String(token[token.index(after: end)...]) == base64URL(Data(code)))
    }

    @Test("a token made by hand with every claim right is accepted, so that the refusals below mean something")
    func handmade() async throws {
        let token = forge(header: ourHeader, payload: try payload())
        #expect(try await aCoder().verifyAccessToken(token, at: noon).userID == UserID(rawValue: 42))
    }

    @Test("a token is good until the millisecond it expires, by the time given")
    func expiry() async throws {
        let coder = try await aCoder()
        let token = try await coder.accessToken(claims())
        let end = noon.advanced(by: .seconds(3600))
        _ = try await coder.verifyAccessToken(token, at: end.advanced(by: .milliseconds(-1)))
        await #expect(throws: TokenError.expired) { try await coder.verifyAccessToken(token, at: end) }
    }

    @Test("no change of any one character leaves a token valid")
    func tampering() async throws {
        let coder = try await aCoder()
        let token = Array(try await coder.accessToken(claims()).utf8)
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let text = String(decoding: changed, as: UTF8.self)
            await #expect(throws: TokenError.invalid, "character \(index)") {
                try await coder.verifyAccessToken(text, at: noon)
            }
        }
    }

    @Test("a signature written with other spare bits is refused, though lenient readers take it")
    func signatureIsCanonical() async throws {
        let coder = try await aCoder()
        let token = try await coder.accessToken(claims())
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let end = try #require(token.last)
        let last = try #require(alphabet.firstIndex(of: end))
        for spare in 1...3 {
            let twin = String(token.dropLast()) + String(alphabet[last + spare])
            await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(twin, at: noon) }
        }
    }

    @Test(
        "no other algorithm or type is accepted, whatever the signature",
        arguments: [
            #"{"alg":"none","typ":"at+jwt"}"#, #"{"alg":"None","typ":"at+jwt"}"#, #"{"alg":"HS512","typ":"at+jwt"}"#,
            #"{"alg":"RS256","typ":"at+jwt"}"#, #"{"alg":"hs256","typ":"at+jwt"}"#, #"{"typ":"at+jwt"}"#,
            #"{"alg":"HS256","typ":"JWT"}"#, #"{"alg":"HS256"}"#, #"{"alg":"HS256","typ":"refresh+jwt"}"#,
            #"{"alg":"HS256","typ":"at+jwt","crit":["b64"],"b64":false}"#, #"["HS256","at+jwt"]"#, "", "{",
        ]
    )
    func header(_ header: String) async throws {
        let token = forge(header: header, payload: try payload())
        let coder = try await aCoder()
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(token, at: noon) }
    }

    @Test("an unsigned token and one signed with HS512 are refused")
    func otherSignatures() async throws {
        let coder = try await aCoder()
        let body = try payload()
        let unsigned = base64URL(Data(#"{"alg":"none","typ":"at+jwt"}"#.utf8)) + "." + base64URL(Data(body.utf8)) + "."
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(unsigned, at: noon) }

        for header in [#"{"alg":"HS512","typ":"at+jwt"}"#, ourHeader] {
            let signed = base64URL(Data(header.utf8)) + "." + base64URL(Data(body.utf8))
            let key = SymmetricKey(data: Data(strongText.utf8))
            let code = HMAC<SHA512>.authenticationCode(for: Data(signed.utf8), using: key)
            let token = signed + "." + base64URL(Data(code))
            await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(token, at: noon) }
        }
    }

    @Test(
        "hostile headers are refused and end nothing",
        arguments: [
            #"{"alg":"HS256","typ":"at+jwt","x":1e300}"#, #"{"alg":"HS256","typ":"at+jwt","x":-1e308}"#,
            #"{"alg":1e300,"typ":"at+jwt"}"#,
            #"{"alg":"HS256","typ":"at+jwt","x":"# + String(repeating: "[", count: 2000),
        ]
    )
    func hostileHeader(_ header: String) async throws {
        let token = forge(header: header, payload: try payload(), key: "another key, as any stranger would use")
        let coder = try await aCoder()
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(token, at: noon) }
    }

    @Test(
        "every claim must be there",
        arguments: ["iss", "aud", "sub", "sid", "role", "preferred_username", "iat", "exp"]
    )
    func missingClaim(_ name: String) async throws {
        let token = forge(header: ourHeader, payload: try payload(without: name))
        #expect(try part(1, of: token)[name] == nil)
        let coder = try await aCoder()
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(token, at: noon) }
    }

    @Test(
        "every claim must be right",
        arguments: [
            #""iss":"https://elsewhere.test""#, #""aud":"elsewhere""#, #""aud":[]"#, #""sub":"ada""#, #""sub":"-1""#,
            #""sub":42"#, #""sid":"""#, #""role":"root""#, #""preferred_username":"""#, #""iat":"now""#,
            #""iat":1780003600"#, #""exp":9223372036854775807"#, #""exp":1e300"#, #""exp":"later""#,
        ]
    )
    func wrongClaim(_ claim: String) async throws {
        let name = try #require(claim.split(separator: "\"").first)
        let others = try payload(without: String(name))
        let token = forge(header: ourHeader, payload: "{\(claim),\(others.dropFirst())")
        let coder = try await aCoder()
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(token, at: noon) }
    }

    @Test("tokens of another issuer, audience or secret are refused")
    func others() async throws {
        let ours = try await aCoder()
        for other in [
            try await aCoder(issuer: "https://elsewhere.test", audience: "https://martlet.test"),
            try await aCoder(audience: "elsewhere"),
            try await aCoder(secret: String(strongText.reversed())),
        ] {
            let token = try await other.accessToken(claims())
            await #expect(throws: TokenError.invalid) { try await ours.verifyAccessToken(token, at: noon) }
        }
    }

    @Test("a forged token is invalid even if it has expired too")
    func forgedBeforeExpired() async throws {
        let token = forge(header: ourHeader, payload: try payload(["exp": 1]), key: "another key of another service")
        let coder = try await aCoder()
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(token, at: noon) }
    }

    @Test("a token beyond 4 KiB is refused although it is signed")
    func hugeToken() async throws {
        let coder = try await aCoder()
        let large = forge(header: ourHeader, payload: try payload(["x": String(repeating: "x", count: 2000)]))
        _ = try await coder.verifyAccessToken(large, at: noon)
        let huge = forge(header: ourHeader, payload: try payload(["x": String(repeating: "x", count: 4000)]))
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(huge, at: noon) }
    }

    @Test("what is no token at all is refused", arguments: ["", ".", "..", "...", "a.b", "a.b.c", "é.é.é", "mrt_AAAA"])
    func noToken(_ text: String) async throws {
        let coder = try await aCoder()
        await #expect(throws: TokenError.invalid) { try await coder.verifyAccessToken(text, at: noon) }
    }
}
