import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import RestServerKit

@Suite("Reading a body")
struct JSONBodyTests {
    private func request(_ body: RequestBody) -> Request {
        let headers: HTTPFields = [.contentType: "application/json"]
        return Request(
            head: HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/", headerFields: headers),
            body: body
        )
    }

    @Test("A body that grows beyond the limit without saying so is 413")
    func tooLarge() async throws {
        let read = JSONBodyReader(limitBytes: 30, timeout: .seconds(10))
        let parts = [#"{"text":"#, #""0123456789"}"#].map { ByteBuffer(string: $0) }
        let text = try await read(request(RequestBody(asyncSequence: stream(parts)))) { $0.string("text") }
        #expect(text == "0123456789")
        let problem = await #expect(throws: Problem.self) {
            try await read(request(RequestBody(asyncSequence: stream(parts + parts)))) { $0.string("text") }
        }
        #expect(problem?.status == .contentTooLarge)
    }

    @Test("A body that does not come is 408")
    func timeout() async throws {
        let read = JSONBodyReader(limitBytes: 100, timeout: .milliseconds(20))
        let (endless, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let problem = await #expect(throws: Problem.self) {
            try await read(request(RequestBody(asyncSequence: endless))) { $0.string("text") }
        }
        #expect(problem?.status == .requestTimeout)
        continuation.finish()
    }

    @Test("What breaks the connection is no answer of ours")
    func broken() async throws {
        struct Reset: Error {}
        let read = JSONBodyReader(limitBytes: 100, timeout: .seconds(10))
        let failing = AsyncThrowingStream<ByteBuffer, any Error> { $0.finish(throwing: Reset()) }
        await #expect(throws: BrokenConnection.self) {
            try await read(request(RequestBody(asyncSequence: failing))) { $0.string("text") }
        }
    }

    private func stream(_ parts: [ByteBuffer]) -> AsyncStream<ByteBuffer> {
        AsyncStream { continuation in
            for part in parts { continuation.yield(part) }
            continuation.finish()
        }
    }
}
