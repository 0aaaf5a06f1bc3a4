import CPostgres
import SQL

/// The thread of a ``PipelinePool``: takes calls from the inbox, sends what the machine says, and reads the replies.
///
/// What arrives while replies are outstanding waits and then goes out together, so that a batch is as large as the load.
final class PipelineLoop {
    private enum Link {
        /// Not wanted while the others keep up.
        case unused
        case closed(until: ContinuousClock.Instant)
        case resolving(deadline: ContinuousClock.Instant)
        case connecting(Connection, deadline: ContinuousClock.Instant)
        case open(PipelineConnection)
    }

    private struct Slot {
        let logID: Int
        var link: Link
        var backoff = Backoff()
        var wantsWrite = false
    }

    /// How exactly time limits and reconnections are kept while there is something to wait for.
    private static let tick = Duration.milliseconds(100)
    private static let wakeToken = Int(Int32.max)

    private let configuration: PostgresConfiguration
    private let role: ConnectionRole
    private let inbox: Inbox
    /// Under way, for all connections that need it; also after they gave it up, so that there is one at a time.
    private var lookup: HostLookup?
    private let log: ConnectionLog
    private let clock = ContinuousClock()
    private var machine: PipelineMachine<PipelineCall>
    private let poll: EventPoll
    private var events: [epoll_event]
    private var slots: [Slot]
    private var now: ContinuousClock.Instant

    init(
        _ configuration: PostgresConfiguration,
        role: ConnectionRole,
        limits: PipelineMachine<PipelineCall>.Limits,
        inbox: Inbox,
        poll: EventPoll,
        log: ConnectionLog
    ) {
        let now = clock.now
        self.configuration = configuration
        self.role = role
        self.inbox = inbox
        self.poll = poll
        self.log = log
        self.now = now
        machine = PipelineMachine(limits, now: now)
        slots = (0..<limits.connections).map { index in
            Slot(logID: log.newConnectionID(), link: index < limits.standing ? .closed(until: now) : .unused)
        }
        events = Array(repeating: epoll_event(), count: limits.connections + 1)
        poll.watch(inbox.wakeDescriptor, token: Self.wakeToken, writable: false)
    }

    /// Returns when the inbox is closed.
    func run() {
        var arrivals: [PipelineCall] = []
        var ready: [Int] = []
        var nextTick = now
        while inbox.take(into: &arrivals) {
            now = clock.now
            for call in arrivals where !machine.enqueue(call, now: now) {
                call.settle(.failure(SQLError.unavailable("too many calls wait")))
            }
            arrivals.removeAll(keepingCapacity: true)
            if now >= nextTick {
                keepTime()
                nextTick = now + Self.tick
            }
            takeAddresses()
            dispatch()
            while let slot = machine.nextSlotToOpen() { open(slot) }
            poll.wait(timeout: timeout(), &events) { ready.append($0) }
            now = clock.now
            for token in ready {
                if token == Self.wakeToken { inbox.acknowledgeWake() } else { serve(token) }
            }
            ready.removeAll(keepingCapacity: true)
        }
        for call in arrivals { call.settle(.failure(SQLError.unavailable("closed"))) }
        settle(machine.closed())
        for slot in slots { log.forget(slot.logID) }
    }

    private func timeout() -> Int32 {
        guard inbox.prepareToSleep() else { return 0 }
        return machine.isQuiet ? -1 : Int32(Self.tick.inMilliseconds)
    }

    private func dispatch() {
        while let dispatch = machine.nextDispatch(now: now) {
            guard case .open(let connection) = slots[dispatch.slot].link else { continue }
            attempt(dispatch.slot) { () throws(PostgresFailure) in
                for call in dispatch.calls { try connection.send(call.statements) }
                watchForWriting(dispatch.slot, connection.socket, try connection.sync())
            }
        }
    }

    private func serve(_ slot: Int) {
        attempt(slot) { () throws(PostgresFailure) in
            switch slots[slot].link {
            case .unused, .closed, .resolving:
                break
            case .connecting(let connection, _):
                try connect(slot, connection)
            case .open(let connection):
                try connection.receive { outcome in
                    switch outcome {
                    case .statement(let outcome): machine.told(outcome, on: slot, now: now)
                    case .synced: settle(machine.synced(slot, now: now))
                    }
                }
                if slots[slot].wantsWrite { watchForWriting(slot, connection.socket, try connection.flush()) }
            }
        }
    }

    private func connect(_ slot: Int, _ connection: Connection) throws(PostgresFailure) {
        switch try connection.continueConnecting() {
        case .wantsRead:
            poll.watch(connection.socket, token: slot, writable: false)
        case .wantsWrite:
            poll.watch(connection.socket, token: slot, writable: true, readable: false)
        case .open:
            poll.watch(connection.socket, token: slot, writable: false)
            slots[slot].link = .open(try PipelineConnection(connection))
            slots[slot].backoff.reset()
            slots[slot].wantsWrite = false
            machine.opened(slot, now: now)
            log.opened(slots[slot].logID)
        }
    }

    private func watchForWriting(_ slot: Int, _ socket: Int32, _ wantsWrite: Bool) {
        guard slots[slot].wantsWrite != wantsWrite else { return }
        slots[slot].wantsWrite = wantsWrite
        poll.watch(socket, token: slot, writable: wantsWrite)
    }

    private func keepTime() {
        for slot in machine.silentSlots(now: now) { lose(slot, "no answer in time") }
        settle(machine.expired(now: now))
        for slot in slots.indices {
            switch slots[slot].link {
            case .closed(let until) where until <= now:
                open(slot)
            case .resolving(let deadline) where deadline <= now:
                lose(slot, "the host name was not resolved in time")
            case .connecting(_, let deadline) where deadline <= now:
                lose(slot, "no answer while connecting")
            case .unused, .closed, .resolving, .connecting, .open:
                break
            }
        }
        for slot in machine.releaseIdleSlots(now: now) { slots[slot].link = .unused }
    }

    private func open(_ slot: Int) {
        attempt(slot) { () throws(PostgresFailure) in
            guard !configuration.hostNames.isEmpty else { return try startConnecting(slot, [:]) }
            if lookup == nil {
                lookup = try HostLookup(
                    configuration.hostNames, with: configuration.resolve, whenOver: { [inbox] in inbox.wake() })
            }
            slots[slot].link = .resolving(deadline: now + configuration.outageTimeLimit)
        }
    }

    private func takeAddresses() {
        guard let addresses = lookup?.addresses else { return }
        lookup = nil
        for slot in slots.indices {
            guard case .resolving = slots[slot].link else { continue }
            attempt(slot) { () throws(PostgresFailure) in try startConnecting(slot, addresses) }
        }
    }

    private func startConnecting(_ slot: Int, _ addresses: [String: [String]]) throws(PostgresFailure) {
        let connection = try Connection(configuration.connectionParameters(role, at: addresses))
        slots[slot].link = .connecting(connection, deadline: now + configuration.outageTimeLimit)
        // libpq: behave first as if it had asked to write.
        poll.watch(connection.socket, token: slot, writable: true, readable: false)
    }

    private func attempt(_ slot: Int, _ body: () throws(PostgresFailure) -> Void) {
        do throws(PostgresFailure) {
            try body()
        } catch {
            switch error {
            case .lost(let reason), .undecodable(let reason): lose(slot, reason)
            case .refused(let error): lose(slot, error.message)
            }
        }
    }

    private func lose(_ slot: Int, _ reason: String) {
        slots[slot].link = .closed(until: now + slots[slot].backoff.next())
        log.lost(slots[slot].logID, reason)
        settle(machine.lost(slot, reason, now: now))
    }

    private func settle(_ settlements: [PipelineMachine<PipelineCall>.Settlement]) {
        for settlement in settlements {
            switch settlement {
            case .succeed(let call, let results): call.settle(.success(results))
            case .fail(let call, let error): call.settle(.failure(error))
            }
        }
    }
}
