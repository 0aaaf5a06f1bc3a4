import Testing

@testable import Postgres

@Suite("The PostgreSQL configuration")
struct PostgresConfigurationTests {
    @Test("shows host and port and never the password")
    func redaction() throws {
        let configuration = try PostgresConfiguration("postgresql://martlet:hunter2@db.example:5433/martlet")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(configuration.endpoint == "db.example:5433")
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test("refuses a string that is none, without repeating it")
    func refusal() {
        let error = #expect(throws: PostgresConfigurationError.self) {
            try PostgresConfiguration("postgresql://martlet:hunter2@db:port with spaces/martlet?nonsense")
        }
        #expect(error.map { !"\($0)".contains("hunter2") } == true)
    }

    @Test("what the operator wrote wins over our own settings")
    func overrides() throws {
        let configuration = try PostgresConfiguration(
            "host=db keepalives_idle=60 options='-c statement_timeout=1' application_name=mine"
        )
        let parameters = configuration.connectionParameters(.read)
        #expect(parameters.filter { $0.keyword == "keepalives_idle" }.map(\.value) == ["60"])
        #expect(parameters.filter { $0.keyword == "application_name" }.map(\.value) == ["mine"])
        let options = parameters.filter { $0.keyword == "options" }.map(\.value)
        #expect(options.count == 1 && options.allSatisfy { $0.hasSuffix("-c statement_timeout=1") })
    }
}
