import Domain
import Foundation
import Testing

@testable import MartletSecurity

@Suite("The secret behind tokens")
struct JWTSecretTests {
    @Test(
        "weak and published secrets are refused by the setting's name and without their text",
        arguments: [
            "", "secret", "changeme", "your-256-bit-secret", "q9Zk3vT1sLxW7uYb0aRf5cNh2mJd8pG",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabcabcabcabcabcabcabc",
            "q9Zk3vT1sLxWq9Zk3vT1sLxWq9Zk3vT1sLxW", "a-string-secret-at-least-256-bits-long",
            "super-secret-jwt-token-with-at-least-32-characters-long", "reallyreallyreallyreallyverysafe",
            "Change-Me-To-Something-Long-And-Random-42", "abcdefghijklmnopqrstuvwxyz0123456789",
        ]
    )
    func weak(_ text: String) throws {
        let error = try #require(throws: JWTSecretError.self) { try JWTSecret(text) }
        #expect("\(error)".contains("JWT_SECRET_KEY"))
        #expect(text.isEmpty || !"\(error)".contains("\(text)\""))
        #expect(text.count < 16 || !"\(error)".contains(text))
    }

    @Test(
        "random secrets are accepted, however they are written",
        arguments: [
            strongText, "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "mJ0uV9Yc4QmXn7sT2bK5pR8wE1zL6hG3dF0aS9iO4jQ=",
            "correct horse battery staple glacier",
        ]
    )
    func strong(_ text: String) throws {
        _ = try JWTSecret(text)
    }

    @Test("no way of printing shows the secret")
    func redacted() throws {
        let secret = try JWTSecret(strongText)
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\([secret])", "\(Optional(secret) as Any)", dumped] {
            #expect(text.contains("<redacted>"))
            #expect(!text.contains(strongText))
            #expect(!text.contains("113, 57"))
        }
    }

    @Test("a file is made once, for its owner alone, and gives the same secret ever after")
    func file() async throws {
        try await withFolder { folder in
            let path = folder + "/jwt-secret"
            let first = await coder(try JWTSecret.loadOrCreate(at: path))
            #expect(try mode(of: path) == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["jwt-secret"])
            let second = await coder(try JWTSecret.loadOrCreate(at: path))
            let token = try await first.accessToken(claims())
            #expect(try await second.verifyAccessToken(token, at: noon) == claims())
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.wholeMatch(of: /[A-Za-z0-9_-]{43}\n/) != nil)
        }
    }

    @Test("two folders get two secrets")
    func random() async throws {
        try await withFolder { folder in
            _ = try JWTSecret.loadOrCreate(at: folder + "/a")
            _ = try JWTSecret.loadOrCreate(at: folder + "/b")
            let texts = try ["/a", "/b"].map { try String(contentsOfFile: folder + $0, encoding: .utf8) }
            #expect(texts[0] != texts[1])
        }
    }

    @Test("whoever starts at the same moment gets the same secret")
    func race() async throws {
        try await withFolder { folder in
            let path = folder + "/jwt-secret"
            let tokens = try await withThrowingTaskGroup { group in
                for _ in 0..<16 {
                    group.addTask {
                        let coder = await coder(try JWTSecret.loadOrCreate(at: path))
                        return coder.refreshToken(SessionID(rawValue: 1), generation: 1)
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(tokens.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["jwt-secret"])
        }
    }

    @Test("who comes second does not replace the file of the first")
    func secondCreation() async throws {
        try await withFolder { folder in
            let path = folder + "/jwt-secret"
            try JWTSecret.create(at: path)
            let first = try String(contentsOfFile: path, encoding: .utf8)
            try JWTSecret.create(at: path)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == first)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["jwt-secret"])
        }
    }

    @Test("a file that others can read is refused and left as it is", arguments: [0o644, 0o640, 0o604, 0o620])
    func readableByOthers(mode: Int) async throws {
        try await withFolder { folder in
            let path = folder + "/jwt-secret"
            _ = try JWTSecret.loadOrCreate(at: path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let error = try #require(throws: JWTSecretError.self) { try JWTSecret.loadOrCreate(at: path) }
            #expect("\(error)".contains(path))
            #expect("\(error)".contains(String(mode, radix: 8)))
            #expect("\(error)".contains("chmod 600"))
            #expect(try self.mode(of: path) == mode)
        }
    }

    @Test("an empty or weak file, a link and a missing folder are refused by path")
    func badFiles() async throws {
        try await withFolder { folder in
            for (name, text) in [("empty", ""), ("weak", "changeme\n")] {
                let path = "\(folder)/\(name)"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            }
            _ = try JWTSecret.loadOrCreate(at: folder + "/good")
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: folder + "/good")
            for name in ["empty", "weak", "link", "absent/jwt-secret", ""] {
                let path = "\(folder)/\(name)"
                let error = try #require(throws: JWTSecretError.self, "\(name)") {
                    try JWTSecret.loadOrCreate(at: path)
                }
                #expect("\(error)".contains(path))
                #expect(!"\(error)".contains("changeme"))
            }
        }
    }

    private func coder(_ secret: JWTSecret) async -> JWTTokenCoder {
        await JWTTokenCoder(secret: secret, issuer: "martlet", clock: StoppedClock(time: noon))
    }

    private func mode(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}
