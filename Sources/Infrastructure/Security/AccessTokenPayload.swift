import Domain
import JWTKit

/// What an access token says, after RFC 9068.
///
/// Plain types rather than jwt-kit's claims: its `AudienceClaim` traps on `"aud": []`, and its dates are the system
/// clock's. Times are whole seconds, which every library of other services reads.
struct AccessTokenPayload: JWTPayload, Hashable {
    var iss: String
    var aud: String
    var sub: String
    var sid: String
    var role: String
    var preferredUsername: String
    /// Seconds since 1970.
    var iat: Int64
    /// Seconds since 1970.
    var exp: Int64
    /// Only keeps two tokens of one second apart.
    var jti: String?

    enum CodingKeys: String, CodingKey {
        case iss, aud, sub, sid, role, iat, exp, jti
        case preferredUsername = "preferred_username"
    }

    /// Nothing: every claim is checked by ``JWTTokenCoder``, which knows the time and who we are.
    func verify(using algorithm: some JWTAlgorithm) {}
}

/// The part of a header that decides. Not jwt-kit's `JWTHeader`: decoding one traps on a number beyond 64 bits, and
/// this is read before the signature is.
struct AccessTokenHeader: Decodable {
    static let algorithm = "HS256"
    static let type = "at+jwt"

    let alg: String
    let typ: String
    /// Extensions that must be understood (RFC 7515, 4.1.11); we understand none.
    let crit: [String]?

    var isOurs: Bool { alg == Self.algorithm && typ == Self.type && crit == nil }
}
