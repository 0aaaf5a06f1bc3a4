import Foundation
import Glibc
import Synchronization

/// Posts on a schedule, whatever the server makes of it. Each text starts with the moment it was sent at.
final class Publisher: Sendable {
    /// Enough that one slow answer holds up nothing: at 100 posts a second each may take 160 ms.
    private static let connections = 16

    private let port: UInt16
    private let token: String
    private let total: Int
    private let intervalNanoseconds: Int64
    private let sent = Atomic<Int>(0)
    private let failures = Mutex<[String]>([])
    private let finished = Atomic<Bool>(false)

    init(port: UInt16, token: String, rate: Int, seconds: Int) {
        self.port = port
        self.token = token
        total = rate * seconds
        intervalNanoseconds = 1_000_000_000 / Int64(rate)
    }

    /// How many posts were accepted.
    var sentCount: Int { sent.load(ordering: .relaxed) }
    var isFinished: Bool { finished.load(ordering: .acquiring) }
    var failure: String? { failures.withLock { $0.first } }

    /// Returns at once; ``isFinished`` tells the end.
    func start() {
        let start = nanoseconds() + 100_000_000
        Thread.detachNewThread { [self] in
            runThreads(Self.connections) { index in
                do {
                    try self.publish(every: Self.connections, from: index, start: start)
                } catch {
                    self.failures.withLock { $0.append("\(error)") }
                }
            }
            finished.store(true, ordering: .releasing)
        }
    }

    private func publish(every step: Int, from first: Int, start: Int64) throws {
        let socket = try Socket.connect(port: port)
        socket.setTimeout(seconds: 30)
        for number in stride(from: first, to: total, by: step) {
            let wait = start + Int64(number) * intervalNanoseconds - nanoseconds()
            if wait > 0 { usleep(UInt32(wait / 1000)) }
            try publishOne(on: socket)
            sent.add(1, ordering: .relaxed)
        }
        close(socket.descriptor)
    }

    private func publishOne(on socket: Socket) throws {
        let text = "t=\(nanoseconds()) " + String(repeating: "measure ", count: 15)
        let body = #"{"text":"\#(text)"}"#
        let request = """
            POST /v1/posts HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Authorization: Bearer \(token)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
        try socket.send(Array(request.utf8))
        var received: [UInt8] = []
        let head = try HTTPResponse.receiveHead(from: socket, into: &received)
        while received.count < head.count + head.contentLength { try socket.receive(into: &received) }
        guard head.status == 201 else {
            let answer = String(decoding: received, as: UTF8.self)
            throw LoadError.protocolBroken("POST was answered \(head.status): \(answer)")
        }
    }

    /// When the post in this frame was sent, if it is one of ours.
    static func sendTime(in frame: UnsafeRawBufferPointer) -> Int64? {
        var index = 0
        while index + 2 < frame.count {
            if frame[index] == UInt8(ascii: "\""), frame[index + 1] == UInt8(ascii: "t"),
                frame[index + 2] == UInt8(ascii: "=")
            {
                return number(in: frame[(index + 3)...])
            }
            index += 1
        }
        return nil
    }

    private static func number(in digits: Slice<UnsafeRawBufferPointer>) -> Int64 {
        var value: Int64 = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
