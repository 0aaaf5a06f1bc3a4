import Domain

/// The sessions and users that ended lately. A token can be found good, and its session end, before the connection is
/// known here: then nobody is there to be closed yet, and the connection must be refused when it arrives.
struct RecentEndings {
    private struct Generation {
        var sessions: Set<SessionID> = []
        var users: Set<UserID> = []
    }

    private var young = Generation()
    private var old = Generation()

    mutating func insert(_ session: SessionID) { young.sessions.insert(session) }
    mutating func insert(_ user: UserID) { young.users.insert(user) }

    /// Forgets what was inserted before the last call.
    mutating func age() {
        old = young
        young = Generation()
    }

    func contains(session: SessionID, of user: UserID) -> Bool {
        young.sessions.contains(session) || old.sessions.contains(session)
            || young.users.contains(user) || old.users.contains(user)
    }
}
