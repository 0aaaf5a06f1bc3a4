/// What a client did against RFC 6455; the connection is failed with ``closeCode``.
package enum ProtocolViolation: Error, Hashable, Sendable, CaseIterable {
    case reservedBits
    case reservedOpcode
    case unmaskedFrame
    case nonMinimalLength
    case lengthTooLarge
    case fragmentedControlFrame
    case controlFrameTooLong
    case continuationWithoutStart
    case messageInsideMessage
    case truncatedCloseCode
    case invalidCloseCode
    case invalidCloseReason
    case invalidUTF8
    case messageTooBig

    package var closeCode: CloseCode {
        switch self {
        case .reservedBits, .reservedOpcode, .unmaskedFrame, .nonMinimalLength, .lengthTooLarge,
            .fragmentedControlFrame, .controlFrameTooLong, .continuationWithoutStart, .messageInsideMessage,
            .truncatedCloseCode, .invalidCloseCode:
            .protocolError
        case .invalidUTF8, .invalidCloseReason: .invalidPayload
        case .messageTooBig: .messageTooBig
        }
    }
}
