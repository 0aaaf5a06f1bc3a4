import Domain
import Foundation
import MartletSecurity
import Testing

@Suite("Refresh tokens")
struct RefreshTokenTests {
    let session = SessionID(rawValue: 0x0123_4567_89ab_cdef)

    @Test("what is written is read back", arguments: [0, 1, 255, 256, Int64.max, -1])
    func roundTrip(generation: Int64) async throws {
        let coder = try await aCoder()
        let read = try #require(coder.readRefreshToken(coder.refreshToken(session, generation: generation)))
        #expect(read.session == session)
        #expect(read.generation == generation)
    }

    @Test("a token is mrt_ and 64 characters, the same each time")
    func shape() async throws {
        let coder = try await aCoder()
        let token = coder.refreshToken(session, generation: 1)
        #expect(token.wholeMatch(of: /mrt_[A-Za-z0-9_-]{64}/) != nil)
        #expect(token == coder.refreshToken(session, generation: 1))
        #expect(token != coder.refreshToken(session, generation: 2))
    }

    @Test("no flip of any one bit leaves a token readable")
    func bitFlips() async throws {
        let coder = try await aCoder()
        let token = Array(coder.refreshToken(session, generation: 1).utf8)
        for index in token.indices {
            for bit in 0..<8 {
                var flipped = token
                flipped[index] ^= 1 << UInt8(bit)
                let text = String(decoding: flipped, as: UTF8.self)
                #expect(coder.readRefreshToken(text) == nil, "bit \(bit) of character \(index)")
            }
        }
    }

    @Test("a token that is cut, extended, padded or dressed otherwise is not read")
    func otherTexts() async throws {
        let coder = try await aCoder()
        let token = coder.refreshToken(session, generation: 1)
        for length in 0..<token.count {
            #expect(coder.readRefreshToken(String(token.prefix(length))) == nil)
        }
        let body = String(token.dropFirst(4))
        let texts: [String] = [
            token + "A", token + "=", token + "AAAA", " " + token, token + "\n", body, "MRT_\(body)",
            "mrt-\(body)", "mrt_\(body.dropLast())=", "mrt_\(body.dropLast())+", "mrt_\(body.dropLast(2))é",
            String(repeating: token, count: 1000),
        ]
        for text in texts {
            #expect(coder.readRefreshToken(text) == nil)
        }
    }

    @Test("a token made with another secret, or sealed with the access tokens' key, is not read")
    func otherKeys() async throws {
        let coder = try await aCoder()
        let other = try await aCoder(secret: String(strongText.reversed()))
        #expect(coder.readRefreshToken(other.refreshToken(session, generation: 1)) == nil)

        let message = Data([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(coder.refreshToken(session, generation: 1).hasPrefix("mrt_" + base64URL(message).prefix(20)))
        let sealed = "mrt_" + base64URL(message + authenticationCode(of: message, key: strongText))
        #expect(coder.readRefreshToken(sealed) == nil)
    }

    @Test("neither kind of token is taken for the other")
    func kinds() async throws {
        let coder = try await aCoder()
        #expect(coder.readRefreshToken(try await coder.accessToken(claims())) == nil)
    }
}
