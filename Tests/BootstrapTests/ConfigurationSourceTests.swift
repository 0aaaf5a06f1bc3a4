import Foundation
import TestSupport
import Testing

@testable import Bootstrap

@Suite("Where settings come from")
struct ConfigurationSourceTests {
    @Test("a .env file wins over YAML, and a key that one leaves empty is taken from the next")
    func precedence() async throws {
        try await withTemporaryFolder { folder in
            let source = try await source(
                in: folder,
                environment: """
                    MARTLET_TEST_BOTH=from env
                    MARTLET_TEST_EMPTY=
                    MARTLET_TEST_COUNT=
                    """,
                yaml: """
                    martlet:
                      test:
                        both: from yaml
                        empty: from yaml
                        count: 7
                        flag: true
                        names: [one, two]
                        line: "one, two ,"
                    """
            )
            #expect(source.string("martlet.test.both") == "from env")
            #expect(source.string("martlet.test.empty") == "from yaml")
            #expect(try source.integer("martlet.test.count", default: 1, in: 0...9) == 7)
            #expect(try source.boolean("martlet.test.flag", default: false))
            #expect(source.list("martlet.test.names") == ["one", "two"])
            #expect(source.list("martlet.test.line") == ["one", "two"])
        }
    }

    @Test("the environment wins over a .env file")
    func environment() async throws {
        try await withTemporaryFolder { folder in
            let source = try await source(in: folder, environment: "PATH=from file\nMARTLET_TEST_ONLY=from file")
            #expect(source.string("path") == ProcessInfo.processInfo.environment["PATH"])
            #expect(source.string("martlet.test.only") == "from file")
        }
    }

    @Test("what is empty counts as absent")
    func empty() throws {
        let source = ConfigurationSource(values: ["A_STRING": "", "A_NUMBER": "", "A_FLAG": "", "A_LIST": " , "])
        #expect(source.string("a.string") == nil)
        #expect(try source.integer("a.number", default: 5, in: 0...9) == 5)
        #expect(try source.boolean("a.flag", default: true))
        #expect(source.list("a.list").isEmpty)
        #expect(throws: SettingsError.missing("A_STRING", purpose: "it names something")) {
            try source.requiredString("a.string", for: "it names something")
        }
    }

    @Test("a refused value is named with its key, what it got and what it takes")
    func refusal() throws {
        let source = ConfigurationSource(values: ["A_NUMBER": "12", "A_WORD": "twelve", "A_FLAG": "perhaps"])
        let range = #expect(throws: SettingsError.self) { try source.integer("a.number", default: 5, in: 0...9) }
        #expect(range?.description == "A_NUMBER is \"12\"; it takes a whole number from 0 to 9.")
        let word = #expect(throws: SettingsError.self) { try source.integer("a.word", default: 5, in: 0...9) }
        #expect(word == .invalid("A_WORD", got: "twelve", takes: "a whole number from 0 to 9"))
        let flag = #expect(throws: SettingsError.self) { try source.boolean("a.flag", default: false) }
        #expect(flag == .invalid("A_FLAG", got: "perhaps", takes: "true or false"))
    }

    @Test("a YAML file that is missing or broken is refused without its content")
    func brokenFile() async throws {
        try await withTemporaryFolder { folder in
            let missing = await #expect(throws: SettingsError.self) {
                try await ConfigurationSource(environmentFile: "\(folder)/.env", file: "\(folder)/none.yaml")
            }
            #expect(missing?.description.contains("none.yaml") == true)
            let broken = await #expect(throws: SettingsError.self) {
                _ = try await source(in: folder, yaml: "jwt: {secret: hunter2")
            }
            #expect(broken?.description.contains("settings.yaml") == true)
            #expect(broken?.description.contains("hunter2") == false)
        }
    }

    private func source(
        in folder: String,
        environment: String = "",
        yaml: String = "{}"
    ) async throws -> ConfigurationSource {
        let (environmentFile, yamlFile) = ("\(folder)/.env", "\(folder)/settings.yaml")
        try environment.write(toFile: environmentFile, atomically: true, encoding: .utf8)
        try yaml.write(toFile: yamlFile, atomically: true, encoding: .utf8)
        return try await ConfigurationSource(environmentFile: environmentFile, file: yamlFile)
    }
}
