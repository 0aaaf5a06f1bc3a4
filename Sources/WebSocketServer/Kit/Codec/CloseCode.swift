/// Why a WebSocket is closed: the codes of RFC 6455, 7.4, and those of the live feed.
package struct CloseCode: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let normal = CloseCode(rawValue: 1000)
    package static let goingAway = CloseCode(rawValue: 1001)
    package static let protocolError = CloseCode(rawValue: 1002)
    package static let unsupportedData = CloseCode(rawValue: 1003)
    package static let invalidPayload = CloseCode(rawValue: 1007)
    package static let messageTooBig = CloseCode(rawValue: 1009)
    package static let internalError = CloseCode(rawValue: 1011)

    // 40xx: do not come back with the same credentials.
    package static let badCredentials = CloseCode(rawValue: 4000)
    package static let expired = CloseCode(rawValue: 4001)
    package static let revoked = CloseCode(rawValue: 4003)
    package static let tooManyConnections = CloseCode(rawValue: 4004)
    // 41xx: come back later.
    package static let overloaded = CloseCode(rawValue: 4100)
    // 42xx: come back at once, with the position.
    package static let draining = CloseCode(rawValue: 4200)
    package static let noPong = CloseCode(rawValue: 4201)
    package static let tooSlow = CloseCode(rawValue: 4202)

    /// Whether an endpoint may put this code into a close frame. 1004 is reserved, 1005, 1006 and 1015 only ever stand
    /// for what no frame said; 1012 to 1014 were registered with IANA after the RFC.
    package var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    package var description: String { String(rawValue) }
}
