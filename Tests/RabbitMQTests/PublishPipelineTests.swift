import Testing

@testable import RabbitMQ

@Suite("Publish pipeline")
struct PublishPipelineTests {
    @Test("a batch succeeds with the last of its confirms, in whatever order they come")
    func singleConfirms() throws {
        var pipeline = try sending([3])
        #expect(pipeline.acknowledged(tag: 3, multiple: false) == [])
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [])
        #expect(pipeline.acknowledged(tag: 2, multiple: false) == [.succeeded(0)])
    }

    @Test("a multiple confirm covers every tag up to its own, and none after it")
    func multipleConfirm() throws {
        var pipeline = try sending([2, 1, 2])
        #expect(pipeline.acknowledged(tag: 4, multiple: true) == [.succeeded(0), .succeeded(1)])
        #expect(pipeline.acknowledged(tag: 4, multiple: true) == [])
        #expect(pipeline.acknowledged(tag: 5, multiple: true) == [.succeeded(2)])
    }

    @Test("tag 0 with multiple confirms everything sent")
    func tagZero() throws {
        var pipeline = try sending([1, 2])
        #expect(pipeline.acknowledged(tag: 0, multiple: true) == [.succeeded(0), .succeeded(1)])
        #expect(pipeline.acknowledged(tag: 0, multiple: true) == [])
    }

    @Test("a confirm that comes twice or for nothing sent counts for nothing")
    func strayConfirms() throws {
        var pipeline = try sending([2])
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [])
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [])
        #expect(pipeline.acknowledged(tag: 9, multiple: true) == [])
        #expect(pipeline.acknowledged(tag: 2, multiple: false) == [.succeeded(0)])
    }

    @Test("one refused message fails its batch once, and no other")
    func refusal() throws {
        var pipeline = try sending([2, 1])
        #expect(pipeline.refused(tag: 1, multiple: false) == [.failed(0, .refused)])
        #expect(pipeline.refused(tag: 2, multiple: false) == [])
        #expect(pipeline.acknowledged(tag: 3, multiple: true) == [.succeeded(1)])
    }

    @Test("a lost connection fails what was sent and what waits; the next counts tags from 1")
    func disconnection() throws {
        var pipeline = try sending([1])
        try pipeline.submit(messages(1, batch: 1), as: pipeline.makeBatch(), deadline: later)
        let failures = pipeline.disconnected(.stopped)
        #expect(failures == [.failed(0, .stopped), .failed(1, .stopped)])
        #expect(!pipeline.hasSendable)

        let batch = pipeline.makeBatch()
        try pipeline.submit(messages(1, batch: batch), as: batch, deadline: later)
        #expect(pipeline.takeSendable() == [])
        pipeline.connected()
        #expect(pipeline.takeSendable().map(\.id) == ["2.0"])
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [.succeeded(2)])
    }

    @Test("what is given up is not sent any more, and its late confirms hurt nobody")
    func abandoning() throws {
        var pipeline = try sending([1])
        let batch = pipeline.makeBatch()
        try pipeline.submit(messages(2, batch: batch), as: batch, deadline: later)
        #expect(pipeline.abandon(batch) == true)
        #expect(pipeline.abandon(batch) == false)
        #expect(pipeline.takeSendable() == [])
        #expect(pipeline.abandon(0) == true)
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [])
    }

    @Test("no more messages are on their way than the window allows")
    func window() throws {
        var pipeline = try sending([PublishPipeline.window + 5])
        #expect(pipeline.takeSendable() == [])
        #expect(pipeline.acknowledged(tag: 3, multiple: true) == [])
        #expect(pipeline.takeSendable().count == 3)
    }

    @Test("a confirm in the middle does not widen the window before those in front of it")
    func windowInOrder() throws {
        var pipeline = try sending([PublishPipeline.window + 5])
        #expect(pipeline.acknowledged(tag: 2, multiple: false) == [])
        #expect(pipeline.takeSendable() == [])
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [])
        #expect(pipeline.takeSendable().count == 2)
    }

    @Test("nothing is sent while the broker blocks the connection")
    func blocked() throws {
        var pipeline = try sending([])
        pipeline.setBlocked(true)
        try pipeline.submit(messages(1, batch: 0), as: pipeline.makeBatch(), deadline: later)
        #expect(pipeline.takeSendable() == [])
        pipeline.setBlocked(false)
        #expect(pipeline.takeSendable().count == 1)
    }

    @Test("a burst stays below what a socket takes, but for one large message")
    func burst() throws {
        var pipeline = try sending([])
        let sizes = [10, PublishPipeline.burstBytes, PublishPipeline.burstBytes * 2, 10, 10]
        try pipeline.submit(messages(5, batch: 0, sizes: sizes), as: pipeline.makeBatch(), deadline: later)
        #expect(pipeline.takeSendable().count == 1)
        #expect(pipeline.takeSendable().count == 1)
        #expect(pipeline.takeSendable().count == 1)
        #expect(pipeline.takeSendable().count == 2)
    }

    @Test("a backlog that is full refuses more, but any single batch is taken")
    func backlog() throws {
        var pipeline = PublishPipeline()
        let limit = PublishPipeline.backlogLimit
        try pipeline.submit(messages(limit + 1, batch: 0), as: pipeline.makeBatch(), deadline: later)
        let batch = pipeline.makeBatch()
        #expect(throws: AMQPFailure.backlogFull(limit: limit)) {
            try pipeline.submit(messages(1, batch: batch), as: batch, deadline: later)
        }
    }

    @Test("a batch that is not confirmed at its deadline fails, and the others stay")
    func deadlines() throws {
        var pipeline = try sending([1])
        let batch = pipeline.makeBatch()
        try pipeline.submit(messages(2, batch: batch), as: batch, deadline: later - .seconds(1))
        #expect(pipeline.expire(at: later - .seconds(2), .stopped) == [])
        #expect(pipeline.expire(at: later - .seconds(1), .stopped) == [.failed(batch, .stopped)])
        #expect(pipeline.takeSendable() == [])
        #expect(pipeline.acknowledged(tag: 1, multiple: false) == [.succeeded(0)])
        #expect(pipeline.expire(at: later, .stopped) == [])
    }

    private let later = ContinuousClock.now + .seconds(60)

    /// A connected pipeline with batches of these sizes sent, as far as the window allows.
    private func sending(_ sizes: [Int]) throws -> PublishPipeline {
        var pipeline = PublishPipeline()
        pipeline.connected()
        for size in sizes {
            let batch = pipeline.makeBatch()
            try pipeline.submit(messages(size, batch: batch), as: batch, deadline: later)
        }
        while !pipeline.takeSendable().isEmpty {}
        return pipeline
    }

    private func messages(_ count: Int, batch: Int, sizes: [Int] = []) -> [OutgoingMessage] {
        (0..<count).map { index in
            let size = sizes.indices.contains(index) ? sizes[index] : 1
            let body = [UInt8](repeating: 0, count: size)
            return OutgoingMessage(routingKey: "event.test", id: "\(batch).\(index)", body: body, isPersistent: true)
        }
    }
}
