package import Application
package import Domain
import FoundationEssentials
import JWTKit

/// Access tokens as JWT with HS256 and nothing else (RFC 8725, 3.1), refresh tokens as our own opaque text.
///
/// The HS256 key is the secret as it is configured, so that other services can check access tokens.
package struct JWTTokenCoder: TokenCoder {
    /// Ours take about 400 bytes; what is longer is not looked into.
    package static let maximumTokenBytes = 4096

    private let keys: JWTKeyCollection
    private let refreshTokens: RefreshTokenSeal
    private let issuer: String
    private let audience: String
    private let clock: any WallClock

    /// - Parameters:
    ///   - issuer: The `iss` that tokens get and must have.
    ///   - audience: The `aud` that tokens get and must have; `issuer` if not given.
    ///   - clock: Gives `iat`.
    package init(secret: JWTSecret, issuer: String, audience: String? = nil, clock: any WallClock) async {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        keys = await JWTKeyCollection().add(
            hmac: HMACKey(from: secret.bytes),
            digestAlgorithm: .sha256,
            serializer: DefaultJWTSerializer(jsonEncoder: encoder)
        )
        refreshTokens = RefreshTokenSeal(secret: secret)
        self.issuer = issuer
        self.audience = audience ?? issuer
        self.clock = clock
    }

    /// `expiresAt` is cut to the second: a token never lives longer than was asked.
    package func accessToken(_ principal: Principal) async throws -> String {
        var random = SystemRandomNumberGenerator()
        let payload = AccessTokenPayload(
            iss: issuer,
            aud: audience,
            sub: principal.userID.description,
            sid: principal.sessionID.description,
            role: principal.role.rawValue,
            preferredUsername: principal.username.description,
            iat: clock.now().millisecondsSinceEpoch / 1000,
            exp: principal.expiresAt.millisecondsSinceEpoch / 1000,
            jti: Base64URL.encode((0..<16).map { _ in random.next() as UInt8 })
        )
        do {
            return try await keys.sign(
                payload,
                header: ["alg": .string(AccessTokenHeader.algorithm), "typ": .string(AccessTokenHeader.type)]
            )
        } catch {
            throw ApplicationError.defect("An access token cannot be signed: \(error)")
        }
    }

    package func verifyAccessToken(_ token: String, at now: Timestamp) async throws -> Principal {
        guard token.utf8.count <= Self.maximumTokenBytes else { throw TokenError.invalid }
        let payload: AccessTokenPayload
        do {
            try checkEnvelope(of: token)
            payload = try await keys.verify(token, as: AccessTokenPayload.self)
        } catch {
            // jwt-kit's reasons say nothing that a caller should learn.
            throw TokenError.invalid
        }
        return try principal(of: payload, at: now)
    }

    package func refreshToken(_ session: SessionID, generation: Int64) -> String {
        refreshTokens.token(session, generation: generation)
    }

    package func readRefreshToken(_ token: String) -> (session: SessionID, generation: Int64)? {
        refreshTokens.read(token)
    }

    /// What jwt-kit does not look at: the algorithm and type in the header, and that there is one way to write a token.
    private func checkEnvelope(of token: String) throws {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), Base64URL.decode(parts[1]) != nil,
            Base64URL.decode(parts[2]) != nil,
            try JSONDecoder().decode(AccessTokenHeader.self, from: Data(header)).isOurs
        else { throw TokenError.invalid }
    }

    /// - Throws: ``TokenError``.
    private func principal(of payload: AccessTokenPayload, at now: Timestamp) throws(TokenError) -> Principal {
        let (milliseconds, overflow) = payload.exp.multipliedReportingOverflow(by: 1000)
        guard payload.iss == issuer, payload.aud == audience, !overflow, let userID = UserID(payload.sub),
            let sessionID = SessionID(payload.sid), let role = Role(rawValue: payload.role),
            !payload.preferredUsername.isEmpty
        else { throw .invalid }
        let expiresAt = Timestamp(millisecondsSinceEpoch: milliseconds)
        guard now < expiresAt else { throw .expired }
        // Only a clock that is wrong by more than a token's life writes this.
        guard payload.iat < payload.exp else { throw .invalid }
        return Principal(
            userID: userID,
            username: Username(stored: payload.preferredUsername),
            role: role,
            sessionID: sessionID,
            expiresAt: expiresAt
        )
    }
}
