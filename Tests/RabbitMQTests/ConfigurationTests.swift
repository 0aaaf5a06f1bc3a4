import Testing

@testable import RabbitMQ

@Suite("RabbitMQ configuration")
struct ConfigurationTests {
    @Test("reads every part of a URL, percent-encoded or not")
    func url() throws {
        let url = "amqp://ada%40home:p%2Fw%3A%25@broker.example:5673/my%2Fhost"
        let configuration = try RabbitMQConfiguration(url: url)
        #expect(configuration.user == "ada@home")
        #expect(configuration.password == "p/w:%")
        #expect(configuration.host == "broker.example")
        #expect(configuration.port == 5673)
        #expect(configuration.virtualHost == "my/host")
    }

    @Test("keeps the defaults of parts that are left out", arguments: ["amqp://h", "AMQP://h/", "amqp://h/%2F?x=y"])
    func defaults(_ url: String) throws {
        #expect(try RabbitMQConfiguration(url: url) == RabbitMQConfiguration(host: "h"))
    }

    @Test("takes an IPv6 address")
    func ipv6() throws {
        #expect(try RabbitMQConfiguration(url: "amqp://[::1]:5673/v").host == "::1")
        #expect(try RabbitMQConfiguration(url: "amqp://[::1]:5673/v").port == 5673)
        #expect(try RabbitMQConfiguration(url: "amqp://[::1]").port == 5672)
    }

    @Test("refuses what is no such URL")
    func refusals() {
        for url in ["amqps://h", "AMQPS://h"] {
            #expect(throws: RabbitMQConfiguration.URLError.encryptionUnsupported) {
                try RabbitMQConfiguration(url: url)
            }
        }
        for url in ["https://h", "h", "", "://h"] {
            #expect(throws: RabbitMQConfiguration.URLError.schemeNotAMQP) { try RabbitMQConfiguration(url: url) }
        }
        #expect(throws: RabbitMQConfiguration.URLError.invalidPort) { try RabbitMQConfiguration(url: "amqp://h:0") }
        #expect(throws: RabbitMQConfiguration.URLError.invalidPort) { try RabbitMQConfiguration(url: "amqp://h:99999") }
        #expect(throws: RabbitMQConfiguration.URLError.emptyHost) { try RabbitMQConfiguration(url: "amqp://u:p@/v") }
        for url in ["amqp://u%2:p@h", "amqp://u:%zz@h", "amqp://u:%+1@h", "amqp://h/%ff"] {
            #expect(throws: RabbitMQConfiguration.URLError.invalidPercentEncoding) {
                try RabbitMQConfiguration(url: url)
            }
        }
    }

    @Test(
        "says in a sentence what is wrong with a URL, without a part of it",
        arguments: [
            "amqps://ada:hunter2@h", "https://ada:hunter2@h", "amqp://ada:hunter2@h:port", "amqp://ada:hunter2@",
            "amqp://ada:hunter2%@h",
        ]
    )
    func sentences(_ url: String) {
        let error = #expect(throws: RabbitMQConfiguration.URLError.self) { try RabbitMQConfiguration(url: url) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(" "))
        #expect(!text.contains("hunter2"))
    }

    @Test("never shows the password")
    func redaction() {
        let configuration = RabbitMQConfiguration(password: "correct horse")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, "\([configuration])"] {
            #expect(!text.contains("correct horse"))
            #expect(text.contains("127.0.0.1"))
        }
    }

    @Test("back-off doubles from 200 ms to 5 s, and jitter takes off up to half")
    func backoff() {
        var steady = Backoff()
        let delays = (0..<7).map { _ in steady.delay(jitter: 0) }
        let milliseconds = [200, 400, 800, 1600, 3200, 5000, 5000]
        #expect(delays == milliseconds.map { .milliseconds($0) })
        var hurried = Backoff()
        #expect(hurried.delay(jitter: 1) == .milliseconds(100))
        steady.reset()
        #expect(steady.delay(jitter: 0) == .milliseconds(200))
    }
}
