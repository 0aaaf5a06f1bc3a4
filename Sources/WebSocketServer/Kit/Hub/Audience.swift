import Domain

/// Who on one event loop hears whom. Every user hears their own posts too, on their other connections.
///
/// A user is told apart from their connections, so that ten devices of one user share one list of followees; lists hold
/// 32-bit places instead of references, since an idle connection costs what these lists cost.
struct Audience<Member: AnyObject> {
    enum Joining: Hashable {
        /// The user's followees must be loaded and given to ``load(_:of:ticket:)`` with this ticket.
        case load(ticket: UInt64)
        /// Somebody loads them already.
        case wait
        /// The user listens already.
        case ready
    }

    private struct Listener {
        let user: UserID
        var members: [Member]
        var state: State

        enum State {
            /// Follow changes since the load began, in order: the loaded list may be older or younger than each.
            case loading(ticket: UInt64, changes: [Change])
            case listening(to: [UserID])
        }
    }

    private struct Change {
        let followee: UserID
        let follows: Bool
    }

    private var listeners: [Listener?] = []
    private var freePlaces: [UInt32] = []
    private var placeOfUser: [UserID: UInt32] = [:]
    private var hearers: [UserID: [UInt32]] = [:]
    private var lastTicket: UInt64 = 0

    /// Adds a connection of `user`. From here on every follow change of theirs is minded.
    mutating func join(_ member: Member, _ user: UserID) -> Joining {
        if let place = placeOfUser[user] {
            listeners[Int(place)]?.members.append(member)
            guard case .loading = listeners[Int(place)]?.state else { return .ready }
            return .wait
        }
        lastTicket += 1
        let listener = Listener(user: user, members: [member], state: .loading(ticket: lastTicket, changes: []))
        if let place = freePlaces.popLast() {
            listeners[Int(place)] = listener
            placeOfUser[user] = place
        } else {
            placeOfUser[user] = UInt32(listeners.count)
            listeners.append(listener)
        }
        return .load(ticket: lastTicket)
    }

    /// Takes what was loaded, brought up to date by the changes since. Gives the connections that listen from now on:
    /// none if all have left, even if the user has come back since with another ticket.
    mutating func load(_ followees: [UserID], of user: UserID, ticket: UInt64) -> [Member] {
        guard let place = loadingPlace(of: user, ticket: ticket), let listener = listeners[Int(place)],
            case .loading(_, let changes) = listener.state
        else { return [] }
        var all = Set(followees)
        for change in changes {
            if change.follows { all.insert(change.followee) } else { all.remove(change.followee) }
        }
        all.insert(user)
        for followee in all { hearers[followee, default: []].append(place) }
        listeners[Int(place)]?.state = .listening(to: Array(all))
        return listener.members
    }

    /// Gives up a load; gives the connections that waited for it. They stay until they leave.
    func membersWaiting(for user: UserID, ticket: UInt64) -> [Member] {
        loadingPlace(of: user, ticket: ticket).flatMap { listeners[Int($0)]?.members } ?? []
    }

    mutating func leave(_ member: Member, _ user: UserID) {
        guard let place = placeOfUser[user] else { return }
        listeners[Int(place)]?.members.removeAll { $0 === member }
        guard let listener = listeners[Int(place)], listener.members.isEmpty else { return }
        if case .listening(let followees) = listener.state {
            for followee in followees { removeHearer(place, of: followee) }
        }
        listeners[Int(place)] = nil
        placeOfUser[user] = nil
        freePlaces.append(place)
    }

    mutating func follow(_ followee: UserID, by user: UserID) {
        guard let place = placeOfUser[user] else { return }
        change(Change(followee: followee, follows: true), at: place)
    }

    mutating func unfollow(_ followee: UserID, by user: UserID) {
        guard let place = placeOfUser[user], followee != user else { return }
        change(Change(followee: followee, follows: false), at: place)
    }

    func members(of user: UserID) -> [Member] {
        placeOfUser[user].flatMap { listeners[Int($0)]?.members } ?? []
    }

    func forEachMember(hearing author: UserID, _ body: (Member) -> Void) {
        guard let places = hearers[author] else { return }
        for place in places {
            guard let members = listeners[Int(place)]?.members else { continue }
            for member in members { body(member) }
        }
    }

    private func loadingPlace(of user: UserID, ticket: UInt64) -> UInt32? {
        guard let place = placeOfUser[user], case .loading(ticket, _) = listeners[Int(place)]?.state else { return nil }
        return place
    }

    private mutating func change(_ change: Change, at place: UInt32) {
        switch listeners[Int(place)]?.state {
        case .loading(let ticket, var changes):
            changes.append(change)
            listeners[Int(place)]?.state = .loading(ticket: ticket, changes: changes)
        case .listening(var followees):
            let index = followees.firstIndex(of: change.followee)
            if change.follows, index == nil {
                followees.append(change.followee)
                hearers[change.followee, default: []].append(place)
            } else if !change.follows, let index {
                followees.swapAt(index, followees.endIndex - 1)
                followees.removeLast()
                removeHearer(place, of: change.followee)
            }
            listeners[Int(place)]?.state = .listening(to: followees)
        case nil: break
        }
    }

    /// A scan, since a list of 4-byte places is read at memory speed: 100,000 hearers cost some 20 µs.
    private mutating func removeHearer(_ place: UInt32, of followee: UserID) {
        guard let index = hearers[followee]?.firstIndex(of: place), let count = hearers[followee]?.count else { return }
        if count == 1 {
            hearers[followee] = nil
        } else {
            hearers[followee]?.swapAt(index, count - 1)
            hearers[followee]?.removeLast()
        }
    }
}
