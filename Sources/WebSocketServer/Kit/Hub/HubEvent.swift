import Domain
import NIOCore

/// An event as the loops apply it: who is concerned, and the one frame that all of them share.
struct HubEvent: Sendable {
    let position: Position
    let effect: Effect

    /// What it sends to each connection that it concerns.
    var frameBytes: Int {
        if case .deliver(let frame, author: _) = effect { frame.readableBytes } else { 0 }
    }

    enum Effect: Sendable {
        /// Whoever hears `author` gets the frame.
        case deliver(ByteBuffer, author: UserID)
        case follow(UserID, by: UserID)
        case unfollow(UserID, by: UserID)
        case endSession(SessionID, of: UserID)
        case endUser(UserID)
        /// Only the position moves on.
        case nothing
        /// Events up to the position are gone from the log: clients must come back and catch up.
        case lost
    }
}
