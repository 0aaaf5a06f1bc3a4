import CRabbitMQ
import Testing

@testable import RabbitMQ

@Suite("Delivery buffer")
struct DeliveryBufferTests {
    @Test("gives what arrived once and in order, after the news of the subscription")
    func order() {
        var buffer = DeliveryBuffer()
        buffer.connected()
        buffer.received(delivery(1, channel: 1))
        buffer.received(delivery(1, channel: 2))
        let expected: [DeliveryBuffer.Item] = [
            .subscribed, .delivery(delivery(1, channel: 1), connection: 1),
            .delivery(delivery(1, channel: 2), connection: 1),
        ]
        #expect(buffer.takeItems() == expected)
        #expect(buffer.takeItems() == [])
    }

    @Test("acknowledges many deliveries of a channel at once")
    func acknowledgesTogether() {
        var buffer = DeliveryBuffer()
        buffer.connected()
        for tag in 1...3 as ClosedRange<UInt64> {
            buffer.handled(delivery(tag, channel: 1), connection: 1)
            buffer.handled(delivery(tag, channel: 2), connection: 1)
        }
        #expect(buffer.takeReplies() == [.acknowledge(through: 3, channel: 1), .acknowledge(through: 3, channel: 2)])
        #expect(buffer.takeReplies() == [])
    }

    @Test("rejects only what cannot be read: what was handled before it is acknowledged first")
    func rejects() {
        var buffer = DeliveryBuffer()
        buffer.connected()
        buffer.handled(delivery(1, channel: 2), connection: 1)
        buffer.handled(delivery(2, channel: 2), connection: 1)
        buffer.undecodable(delivery(3, channel: 2), connection: 1)
        buffer.handled(delivery(1, channel: 1), connection: 1)
        buffer.handled(delivery(4, channel: 2), connection: 1)
        buffer.handled(delivery(5, channel: 2), connection: 1)
        let expected: [DeliveryBuffer.Reply] = [
            .acknowledge(through: 2, channel: 2), .reject(3, channel: 2), .acknowledge(through: 1, channel: 1),
            .acknowledge(through: 5, channel: 2),
        ]
        #expect(buffer.takeReplies() == expected)
    }

    @Test("a new connection drops what the old one left and takes no acknowledgement for it")
    func reconnection() {
        var buffer = DeliveryBuffer()
        buffer.connected()
        buffer.received(delivery(1, channel: 1))
        buffer.handled(delivery(1, channel: 1), connection: 1)
        buffer.connected()
        #expect(buffer.takeItems() == [.subscribed])
        buffer.handled(delivery(1, channel: 1), connection: 1)
        buffer.undecodable(delivery(2, channel: 1), connection: 1)
        #expect(buffer.takeReplies() == [])
    }

    @Test("puts together bodies whose frames come interleaved with another channel's")
    func interleaved() {
        var reader = DeliveryReader()
        #expect(reader.read(.deliver(tag: 7, channel: 1)) == nil)
        #expect(reader.read(.header(size: 4, channel: 1)) == nil)
        #expect(reader.read(.deliver(tag: 9, channel: 2)) == nil)
        #expect(reader.body([1, 2], channel: 1) == nil)
        #expect(reader.read(.header(size: 0, channel: 2)) == Delivery(channel: 2, tag: 9, routingKey: "", body: []))
        let whole = Delivery(channel: 1, tag: 7, routingKey: "", body: [1, 2, 3, 4])
        #expect(reader.body([3, 4], channel: 1) == whole)
    }

    private func delivery(_ tag: UInt64, channel: UInt16) -> Delivery {
        Delivery(channel: channel, tag: tag, routingKey: "event.test", body: [])
    }
}

extension DeliveryReader {
    fileprivate mutating func body(_ bytes: [UInt8], channel: UInt16) -> Delivery? {
        bytes.withUnsafeBytes { buffer in
            read(.make(MARTLET_AMQP_BODY, channel: channel) { $0.bytes = amqp_bytes_t(buffer) })
        }
    }
}

extension martlet_amqp_frame {
    fileprivate static func make(
        _ kind: martlet_amqp_frame_kind,
        channel: UInt16,
        _ change: (inout martlet_amqp_frame) -> Void
    ) -> martlet_amqp_frame {
        var frame = martlet_amqp_frame()
        frame.kind = kind
        frame.channel = channel
        change(&frame)
        return frame
    }

    fileprivate static func deliver(tag: UInt64, channel: UInt16) -> martlet_amqp_frame {
        make(MARTLET_AMQP_DELIVER, channel: channel) { $0.delivery_tag = tag }
    }

    fileprivate static func header(size: UInt64, channel: UInt16) -> martlet_amqp_frame {
        make(MARTLET_AMQP_HEADER, channel: channel) { $0.body_size = size }
    }
}
