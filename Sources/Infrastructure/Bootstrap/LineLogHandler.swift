import APIModel
import Domain
import Logging
import MartletSecurity

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes each event as one line to standard error, as text for people or JSON for machines.
///
/// Every request leaves a line, and swift-log's own handler costs a third of what answering a read costs. This one
/// makes the bytes and hands them to the kernel in one call, so that lines of several threads do not mix.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Settings.LogFormat
    private let clock = SystemClock()

    init(label: String, level: Logger.Level, format: Settings.LogFormat) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var bytes = line(event, at: clock.now())
        bytes.append(UInt8(ascii: "\n"))
        // Where the log goes there is nobody left to tell that it cannot be written.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    func line(_ event: LogEvent, at now: Timestamp) -> [UInt8] {
        var fields = event.metadata ?? [:]
        if !metadata.isEmpty { fields.merge(metadata) { own, _ in own } }
        let sorted = fields.sorted { $0.key < $1.key }
        return switch format {
        case .text: text(event, now, sorted)
        case .json: json(event, now, sorted)
        }
    }

    private typealias Fields = [(key: String, value: Logger.Metadata.Value)]

    private func text(_ event: LogEvent, _ now: Timestamp, _ fields: Fields) -> [UInt8] {
        var line = "\(now.iso8601) \(event.level.rawValue) \(label): \(event.message)"
        for (key, value) in fields { line += " \(key)=\(value)" }
        // A client's text must not be able to start a line of its own.
        return line.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }
    }

    private func json(_ event: LogEvent, _ now: Timestamp, _ fields: Fields) -> [UInt8] {
        var json = JSONWriter(reserving: 256)
        json.beginObject()
        json.member("time", now)
        json.member("level", event.level.rawValue)
        json.member("logger", label)
        json.member("message", event.message.description)
        for (key, value) in fields {
            json.key(unescaped: key)
            json.string(value.description)
        }
        json.endObject()
        return json.bytes
    }
}
