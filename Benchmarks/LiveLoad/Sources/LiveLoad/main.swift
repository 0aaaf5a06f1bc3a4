import Foundation
import Glibc

// Standard output tells the caller each step, a line a step; a line on standard input starts the next one, and its end
// is the end.
let usage = """
    usage: LiveLoad idle LIVE_PORT TOKENS            opens a connection for each token of that file and holds them
           LiveLoad fanout LIVE_PORT TOKENS REST_PORT AUTHOR_TOKEN RATE SECONDS
                                                     the same, then posts as the author and times every frame
    """

func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

func number<Value: FixedWidthInteger>(_ text: String) throws -> Value {
    guard let value = Value(text) else { throw LoadError.usage(usage) }
    return value
}

func measure(_ audience: Audience, _ publisher: Publisher) throws {
    var latencies: [Int64] = []
    latencies.reserveCapacity(4_000_000)
    let started = nanoseconds()
    publisher.start()
    var deadline = Int64.max
    try audience.listen {
        guard publisher.isFinished else { return true }
        if deadline == .max { deadline = nanoseconds() + 10_000_000_000 }
        return latencies.count < publisher.sentCount * audience.count && nanoseconds() < deadline
    } _: { frame, now in
        if let sent = Publisher.sendTime(in: frame) { latencies.append(now - sent) }
    }
    if let failure = publisher.failure { throw LoadError.protocolBroken(failure) }
    latencies.sort()
    func milliseconds(_ share: Double) -> String {
        guard !latencies.isEmpty else { return "null" }
        let place = min(latencies.count - 1, Int(Double(latencies.count) * share))
        return String(format: "%.3f", Double(latencies[place]) / 1e6)
    }
    let seconds = String(format: "%.3f", Double(nanoseconds() - started) / 1e9)
    say(
        """
        {"posts": \(publisher.sentCount), "deliveries": \(latencies.count), \
        "expected": \(publisher.sentCount * audience.count), "seconds": \(seconds), \
        "p50": \(milliseconds(0.5)), "p99": \(milliseconds(0.99)), "max": \(milliseconds(1))}
        """
    )
}

/// Nobody listens only while the audience connects: pings are answered all the time.
func serve(_ audience: Audience, _ commands: Commands, _ command: () throws -> Void) throws {
    repeat {
        try audience.listen {
            commands.isQuiet
        } _: { _, _ in
        }
        if commands.next() != nil { try command() } else { return }
    } while true
}

do {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 3 else { throw LoadError.usage(usage) }
    let commands = Commands()
    let tokens = try String(contentsOfFile: arguments[2], encoding: .utf8).split(separator: "\n").map(String.init)
    let audience = try Audience(port: number(arguments[1]), tokens: tokens)
    say("open")
    switch (arguments[0], arguments.count) {
    case ("idle", 3):
        try serve(audience, commands) {}
    case ("fanout", 7):
        try serve(audience, commands) {
            let publisher = try Publisher(
                port: number(arguments[3]),
                token: arguments[4],
                rate: number(arguments[5]),
                seconds: number(arguments[6])
            )
            try measure(audience, publisher)
        }
    default: throw LoadError.usage(usage)
    }
} catch {
    FileHandle.standardError.write(Data("LiveLoad: \(error)\n".utf8))
    exit(1)
}
