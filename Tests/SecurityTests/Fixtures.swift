import Application
import Crypto
import Domain
import Foundation
import MartletSecurity
import Testing

/// A clock that stands.
struct StoppedClock: WallClock {
    let time: Timestamp

    func now() -> Timestamp { time }
}

let noon = Timestamp(millisecondsSinceEpoch: 1_780_000_000_000)
let strongText = "q9Zk3vT1sLxW7uYb0aRf5cNh2mJd8pGe4iVoQ6wX"

func aCoder(
    secret: String = strongText,
    issuer: String = "https://martlet.test",
    audience: String? = nil,
    at time: Timestamp = noon
) async throws -> JWTTokenCoder {
    await JWTTokenCoder(
        secret: try JWTSecret(secret),
        issuer: issuer,
        audience: audience,
        clock: StoppedClock(time: time)
    )
}

func claims(expiresAt: Timestamp = noon.advanced(by: .seconds(3600)), role: Role = .user) -> Principal {
    Principal(
        userID: UserID(rawValue: 42),
        username: Username(stored: "ada_1"),
        role: role,
        sessionID: SessionID(rawValue: .max),
        expiresAt: expiresAt
    )
}

func base64URL(_ data: Data) -> String {
    data.base64EncodedString()
        .replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_")
        .replacingOccurrences(of: "=", with: "")
}

/// The JSON of one part of a token.
func part(_ index: Int, of token: String) throws -> [String: Any] {
    let parts = token.split(separator: ".")
    var text = parts[index].replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    while text.count % 4 != 0 { text += "=" }
    let data = try #require(Data(base64Encoded: text))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
}

/// A token made by hand, independent of the code under test.
func forge(header: String, payload: String, key: String = strongText) -> String {
    let signed = base64URL(Data(header.utf8)) + "." + base64URL(Data(payload.utf8))
    let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: Data(key.utf8)))
    return signed + "." + base64URL(Data(code))
}

let ourHeader = #"{"alg":"HS256","typ":"at+jwt"}"#

/// The payload of a good token with some claims changed and some left out.
func payload(_ changes: [String: Any] = [:], without missing: String? = nil) throws -> String {
    var claims: [String: Any] = [
        "iss": "https://martlet.test", "aud": "https://martlet.test", "sub": "42", "sid": "7", "role": "user",
        "preferred_username": "ada_1", "iat": 1_780_000_000, "exp": 1_780_003_600,
    ]
    for (name, value) in changes {
        claims[name] = value
    }
    if let missing { claims[missing] = nil }
    return String(decoding: try JSONSerialization.data(withJSONObject: claims, options: .sortedKeys), as: UTF8.self)
}

func authenticationCode(of message: Data, key: String) -> Data {
    Data(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Data(key.utf8))))
}
