import Testing

@testable import MartletSecurity

@Suite("The queue of the hasher")
struct HashingQueueTests {
    let start = ContinuousClock.Instant.now

    private func aQueue(threads: Int = 1, waitingLimit: Int = 1) -> HashingQueue<String> {
        HashingQueue(threads: threads, waitingLimit: waitingLimit, patience: .seconds(2))
    }

    private func admit(_ job: String, to queue: inout HashingQueue<String>) -> HashingQueue<String>.Admission {
        let ticket = queue.ticket()
        return queue.admit(job, ticket: ticket, at: start)
    }

    private func run(_ queue: inout HashingQueue<String>, after wait: Duration = .zero) -> String? {
        switch queue.next(at: start + wait) {
        case .run(let job): "run \(job)"
        case .tooLate(let job): "too late \(job)"
        case .stop: "stop"
        case nil: nil
        }
    }

    @Test("jobs run in the order in which they came")
    func order() {
        var queue = aQueue(threads: 3, waitingLimit: 0)
        for job in ["a", "b", "c"] { #expect(admit(job, to: &queue) == .admitted) }
        #expect((0..<4).map { _ in run(&queue) } == ["run a", "run b", "run c", nil])
    }

    @Test("a thread that has not woken up yet counts as free, and a busy one does not")
    func limit() {
        var queue = aQueue()
        #expect(admit("a", to: &queue) == .admitted)
        #expect(admit("b", to: &queue) == .admitted)
        #expect(admit("c", to: &queue) == .full)
        #expect(run(&queue) == "run a")
        #expect(admit("c", to: &queue) == .full)
        queue.finish()
        #expect(admit("c", to: &queue) == .admitted)
        #expect(run(&queue) == "run b")
        #expect(queue.waitingCount == 1)
        #expect(queue.runningCount == 1)
    }

    @Test("who leaves makes room, and cannot leave twice or while running")
    func leaving() {
        var queue = aQueue()
        let first = queue.ticket()
        #expect(queue.leave(first) == nil)
        #expect(queue.admit("a", ticket: first, at: start) == .admitted)
        #expect(queue.leave(first) == "a")
        #expect(queue.leave(first) == nil)
        let second = queue.ticket()
        #expect(queue.admit("b", ticket: second, at: start) == .admitted)
        #expect(run(&queue) == "run b")
        #expect(queue.leave(second) == nil)
    }

    @Test("who waited too long is not run and holds no thread")
    func patience() {
        var queue = aQueue()
        #expect(admit("a", to: &queue) == .admitted)
        #expect(admit("b", to: &queue) == .admitted)
        #expect(run(&queue, after: .milliseconds(2001)) == "too late a")
        #expect(queue.runningCount == 0)
        #expect(run(&queue, after: .seconds(2)) == "run b")
    }

    @Test("a closed queue gives back who waits, takes nobody and lets the threads go")
    func closing() {
        var queue = aQueue(threads: 1, waitingLimit: 2)
        for job in ["a", "b", "c"] { #expect(admit(job, to: &queue) == .admitted) }
        #expect(run(&queue) == "run a")
        #expect(queue.close() == ["b", "c"])
        #expect(admit("d", to: &queue) == .closed)
        #expect(run(&queue) == "stop")
        #expect(queue.close() == [])
    }
}
