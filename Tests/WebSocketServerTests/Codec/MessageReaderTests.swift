import NIOCore
import Testing
import WebSocketServerKit

@Suite("Reading a client's frames")
struct MessageReaderTests {
    private func read(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [MessageReader.Message] {
        var reader = MessageReader(maximumMessageBytes: limit)
        var buffer = ByteBuffer(bytes: bytes)
        var messages: [MessageReader.Message] = []
        while let message = try reader.next(from: &buffer) { messages.append(message) }
        #expect(buffer.readableBytes == 0)
        return messages
    }

    private func read(_ frames: ClientFrame..., limit: Int = 1 << 20) throws -> [MessageReader.Message] {
        try read(frames.flatMap(\.bytes), limit: limit)
    }

    @Test("a message arrives whole, for every form of its length", arguments: [0, 1, 125, 126, 127, 65_535, 65_536])
    func lengths(_ count: Int) throws {
        let text = String(repeating: "é", count: count / 2) + String(repeating: "x", count: count % 2)
        #expect(try read(.text(text)) == [.text(ByteBuffer(string: text))])
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try read(ClientFrame(first: 0x82, payload: bytes)) == [.binary(ByteBuffer(bytes: bytes))])
    }

    @Test("it does not matter where the bytes are cut")
    func everyCut() throws {
        let frames: [ClientFrame] = [
            .text("κόσμε ", isFinal: false), ClientFrame(first: 0x89, payload: [1, 2, 3]),
            .continuation(Array("🐦".utf8), isFinal: true), .close([0x03, 0xe8]),
        ]
        let bytes = frames.flatMap(\.bytes)
        let expected: [MessageReader.Message] = [
            .ping(ByteBuffer(bytes: [1, 2, 3])), .text(ByteBuffer(string: "κόσμε 🐦")), .close(.normal),
        ]
        for cut in 0...bytes.count {
            var reader = MessageReader(maximumMessageBytes: 100)
            var messages: [MessageReader.Message] = []
            var buffer = ByteBuffer(bytes: bytes[..<cut])
            while let message = try reader.next(from: &buffer) { messages.append(message) }
            buffer.writeBytes(bytes[cut...])
            while let message = try reader.next(from: &buffer) { messages.append(message) }
            #expect(messages == expected, "cut at \(cut)")
        }
        var reader = MessageReader(maximumMessageBytes: 100)
        var buffer = ByteBuffer()
        var messages: [MessageReader.Message] = []
        for byte in bytes {
            buffer.writeInteger(byte)
            while let message = try reader.next(from: &buffer) { messages.append(message) }
        }
        #expect(messages == expected, "byte by byte")
    }

    @Test("a scalar may be cut between fragments")
    func scalarOverFragments() throws {
        let bird = Array("🐦".utf8)
        for cut in 0...4 {
            let messages = try read(
                ClientFrame(first: 0x01, payload: Array(bird[..<cut])),
                .continuation(Array(bird[cut...]), isFinal: true))
            #expect(messages == [.text(ByteBuffer(string: "🐦"))])
        }
    }

    struct Wrong: CustomTestStringConvertible {
        let testDescription: String
        let frames: [ClientFrame]
        let violation: ProtocolViolation

        init(_ description: String, _ frames: ClientFrame..., violates violation: ProtocolViolation) {
            self.testDescription = description
            self.frames = frames
            self.violation = violation
        }
    }

    static let wrongs = [
        Wrong("RSV1", ClientFrame(first: 0xc1), violates: .reservedBits),
        Wrong("RSV2", ClientFrame(first: 0xa1), violates: .reservedBits),
        Wrong("RSV3", ClientFrame(first: 0x91), violates: .reservedBits),
        Wrong("opcode 3", ClientFrame(first: 0x83), violates: .reservedOpcode),
        Wrong("opcode 7", ClientFrame(first: 0x87), violates: .reservedOpcode),
        Wrong("opcode 11", ClientFrame(first: 0x8b), violates: .reservedOpcode),
        Wrong("opcode 15", ClientFrame(first: 0x8f), violates: .reservedOpcode),
        Wrong("no mask", ClientFrame(first: 0x81, isMasked: false), violates: .unmaskedFrame),
        Wrong("5 in 16 bits", ClientFrame(first: 0x81, lengthField: [126, 0, 5]), violates: .nonMinimalLength),
        Wrong("125 in 16 bits", ClientFrame(first: 0x81, lengthField: [126, 0, 125]), violates: .nonMinimalLength),
        Wrong(
            "65535 in 64 bits", ClientFrame(first: 0x81, lengthField: [127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
            violates: .nonMinimalLength),
        Wrong(
            "a negative length", ClientFrame(first: 0x81, lengthField: [127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            violates: .lengthTooLarge),
        Wrong("a ping in fragments", ClientFrame(first: 0x09), violates: .fragmentedControlFrame),
        Wrong("a close in fragments", ClientFrame(first: 0x08), violates: .fragmentedControlFrame),
        Wrong(
            "a ping of 126 bytes", ClientFrame(first: 0x89, payload: Array(repeating: 0, count: 126)),
            violates: .controlFrameTooLong),
        Wrong("a continuation of nothing", .continuation([], isFinal: true), violates: .continuationWithoutStart),
        Wrong(
            "a continuation after the end", .text("a"), .continuation([], isFinal: false),
            violates: .continuationWithoutStart),
        Wrong("a text in a text", .text("a", isFinal: false), .text("b"), violates: .messageInsideMessage),
        Wrong(
            "a binary in a text", .text("a", isFinal: false), ClientFrame(first: 0x82), violates: .messageInsideMessage),
        Wrong("a close of one byte", .close([3]), violates: .truncatedCloseCode),
        Wrong("a close reason that is no UTF-8", .close([3, 0xe8, 0xff]), violates: .invalidCloseReason),
        Wrong("a close reason that ends too soon", .close([3, 0xe8, 0xc3]), violates: .invalidCloseReason),
        Wrong("a text that ends too soon", ClientFrame(first: 0x81, payload: [0xc3]), violates: .invalidUTF8),
        Wrong(
            "a text in fragments that ends too soon", .text("a", isFinal: false),
            .continuation([0xf0, 0x9f], isFinal: true), violates: .invalidUTF8),
        Wrong(
            "too much at once", ClientFrame(first: 0x82, payload: Array(repeating: 0, count: 1001)),
            violates: .messageTooBig),
        Wrong(
            "too much together", ClientFrame(first: 0x02, payload: Array(repeating: 0, count: 600)),
            .continuation(Array(repeating: 0, count: 401), isFinal: false), violates: .messageTooBig),
    ]

    @Test("what RFC 6455 forbids is refused", arguments: wrongs)
    func refusals(_ wrong: Wrong) {
        #expect(throws: wrong.violation) { try read(wrong.frames.flatMap(\.bytes), limit: 1000) }
    }

    @Test("every refusal is tried here")
    func coverage() {
        #expect(Set(Self.wrongs.map(\.violation)).union([.invalidCloseCode]) == Set(ProtocolViolation.allCases))
    }

    @Test(
        "close codes that no endpoint may send are refused",
        arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] as [UInt16])
    func closeCodesRefused(_ code: UInt16) {
        #expect(throws: ProtocolViolation.invalidCloseCode) {
            try read(.close([UInt8(code >> 8), UInt8(code & 0xff)]))
        }
    }

    @Test(
        "other close codes are taken, with or without a reason",
        arguments: [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999] as [UInt16])
    func closeCodesTaken(_ code: UInt16) throws {
        let payload = [UInt8(code >> 8), UInt8(code & 0xff)]
        #expect(try read(.close(payload)) == [.close(CloseCode(rawValue: code))])
        #expect(try read(.close(payload + Array("tschüß".utf8))) == [.close(CloseCode(rawValue: code))])
    }

    @Test("a first byte that is wrong is refused without the second")
    func failFast() {
        for first in [0xc1, 0x83, 0x09] as [UInt8] {
            #expect(throws: ProtocolViolation.self) { try read([first]) }
        }
        #expect(throws: ProtocolViolation.unmaskedFrame) { try read([0x81, 0x01]) }
    }

    @Test("a text that can no longer become valid is refused in the middle of its frame")
    func failFastInText() {
        let good = Array("κόσμε".utf8) + [0xf4]
        let bytes = ClientFrame(first: 0x01, payload: good + [0x90, 0x80, 0x80, 0x65]).bytes
        // Two bytes of header and four of mask come before the text.
        #expect(throws: ProtocolViolation.invalidUTF8) { try read(Array(bytes[..<(6 + good.count + 1)])) }
        #expect(throws: Never.self) { try read(Array(bytes[..<(6 + good.count)])) }
    }

    @Test("an extension's bit is let through on the first frame of a message alone")
    func reservedBitOfExtension() throws {
        var parser = FrameParser(allowedReservedBits: .rsv1)
        var buffer = ByteBuffer(ClientFrame(first: 0xc1))
        let element = try parser.next(from: &buffer)
        guard case .header(let header) = element else {
            Issue.record("no header but \(String(describing: element))")
            return
        }
        #expect(header.reserved == .rsv1)
        for first in [0xc0, 0xc9, 0xa1] as [UInt8] {
            var parser = FrameParser(allowedReservedBits: .rsv1)
            var buffer = ByteBuffer(ClientFrame(first: first))
            #expect(throws: ProtocolViolation.reservedBits) { try parser.next(from: &buffer) }
        }
    }
}
