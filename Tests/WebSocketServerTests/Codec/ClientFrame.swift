import NIOCore

/// A frame as a client sends it, or as it must not send it: every bit can be set.
struct ClientFrame {
    var first: UInt8
    var isMasked = true
    /// Written instead of the shortest form of the length.
    var lengthField: [UInt8]?
    var payload: [UInt8] = []

    static func text(_ text: String, isFinal: Bool = true) -> ClientFrame {
        ClientFrame(first: isFinal ? 0x81 : 0x01, payload: Array(text.utf8))
    }

    static func continuation(_ payload: [UInt8], isFinal: Bool) -> ClientFrame {
        ClientFrame(first: isFinal ? 0x80 : 0x00, payload: payload)
    }

    static func close(_ payload: [UInt8] = []) -> ClientFrame { ClientFrame(first: 0x88, payload: payload) }

    var bytes: [UInt8] {
        var result = [first]
        let maskBit: UInt8 = isMasked ? 0x80 : 0
        if let lengthField {
            result.append(maskBit | lengthField[0])
            result += lengthField.dropFirst()
        } else {
            switch payload.count {
            case ...125: result.append(maskBit | UInt8(payload.count))
            case ...0xffff:
                result.append(maskBit | 126)
                result += [UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
            default:
                result.append(maskBit | 127)
                result += (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 0xff) }
            }
        }
        guard isMasked else { return result + payload }
        let mask: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        result += mask
        result += payload.enumerated().map { $1 ^ mask[$0 % 4] }
        return result
    }
}

extension ByteBuffer {
    init(_ frames: ClientFrame...) {
        self.init(bytes: frames.flatMap(\.bytes))
    }
}
