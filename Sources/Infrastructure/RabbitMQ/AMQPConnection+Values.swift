import CRabbitMQ
import Glibc

/// A message on its way to the broker.
struct OutgoingMessage: Hashable {
    let routingKey: String
    /// Comes back with the message if it is returned.
    let id: String
    let body: [UInt8]
    /// Kept on disk, and returned if no queue takes it.
    let isPersistent: Bool
}

/// An optional argument of a queue (`x-…`).
enum QueueArgument {
    case boolean(StaticString, Bool)
    case integer(StaticString, Int64)
    case text(StaticString, String)
}

extension StaticString {
    /// What C takes; a static string ends with a zero byte.
    fileprivate var cString: UnsafePointer<CChar> {
        UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

/// Calls `body` with the text's bytes, which are valid during the call.
func withBytes<Result>(_ text: String, _ body: (amqp_bytes_t) -> Result) -> Result {
    var text = text
    return text.withUTF8 { body(amqp_bytes_t(UnsafeRawBufferPointer($0))) }
}

/// Calls `body` with a table of `arguments`, which is valid during the call.
func withTable<Result>(_ arguments: [QueueArgument], _ body: (amqp_table_t) -> Result) -> Result {
    // C strings that live as long as the call: at most a handful, and only when a queue is declared.
    var copies: [UnsafeMutablePointer<CChar>] = []
    defer { for copy in copies { free(copy) } }
    var entries = arguments.map { argument in
        switch argument {
        case .boolean(let key, let value): return martlet_amqp_boolean(key.cString, value)
        case .integer(let key, let value): return martlet_amqp_integer(key.cString, value)
        case .text(let key, let value):
            let copy = strdup(value)
            if let copy { copies.append(copy) }
            return martlet_amqp_text(key.cString, copy)
        }
    }
    return entries.withUnsafeMutableBufferPointer { buffer in
        body(amqp_table_t(num_entries: CInt(buffer.count), entries: buffer.baseAddress))
    }
}

extension amqp_bytes_t {
    init(_ buffer: UnsafeRawBufferPointer) {
        self.init(len: buffer.count, bytes: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
    }

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: len) }
}

extension String {
    init(_ bytes: amqp_bytes_t) {
        self.init(decoding: bytes.buffer, as: UTF8.self)
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
