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

    @Test("gives libpq each address of a host name, and leaves addresses and sockets as they are")
    func addresses() throws {
        let configuration = try PostgresConfiguration("postgresql://a.test:1,10.0.0.1:2,b.test:3/x")
        #expect(configuration.hostNames == ["a.test", "b.test"])
        let parameters = try configuration.connectionParameters(.read, at: ["a.test": ["::1", "127.0.0.1"]])
        let values = Dictionary(parameters.map { ($0.keyword, $0.value) }) { _, last in last }
        #expect(values["host"] == "a.test,a.test,10.0.0.1")
        #expect(values["hostaddr"] == "::1,127.0.0.1,")
        #expect(values["port"] == "1,1,2")
        for direct in ["host=/run/postgresql", "host=::1", "host=db hostaddr=10.0.0.1", "dbname=x"] {
            #expect(try PostgresConfiguration(direct).hostNames == [])
        }
        #expect(throws: PostgresFailure.self) {
            try PostgresConfiguration("host=a.test").connectionParameters(.read, at: ["a.test": []])
        }
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
