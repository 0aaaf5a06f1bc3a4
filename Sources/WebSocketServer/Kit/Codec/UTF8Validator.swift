/// Checks UTF-8 piece by piece and fails at the first byte that no valid text can hold there, so that a fragmented
/// message is refused without waiting for its end.
///
/// It keeps the range that the next byte must be in, after Table 3-7 of the Unicode Standard, "Well-Formed UTF-8 Byte
/// Sequences": only the byte after the lead has a range of its own, which shuts out overlong forms, surrogates and
/// what lies beyond U+10FFFF.
package struct UTF8Validator: Hashable, Sendable {
    /// How many bytes of the current scalar are still to come.
    private var missing: UInt8 = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xbf

    package init() {}

    /// Whether the text may end here.
    package var isComplete: Bool { missing == 0 }

    /// Takes the next bytes; gives `false` at the first that cannot stand there.
    package mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if missing == 0 {
                // Text is mostly ASCII: step over eight bytes of it at once.
                while index + 8 <= bytes.count,
                    bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                {
                    index += 8
                }
                guard index < bytes.count else { return true }
            }
            guard accept(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard byte >= lowest, byte <= highest else { return false }
            missing -= 1
            (lowest, highest) = (0x80, 0xbf)
            return true
        }
        switch byte {
        case 0x00...0x7f: break
        case 0xc2...0xdf: missing = 1
        case 0xe0: (missing, lowest) = (2, 0xa0)
        case 0xe1...0xec, 0xee...0xef: missing = 2
        case 0xed: (missing, highest) = (2, 0x9f)
        case 0xf0: (missing, lowest) = (3, 0x90)
        case 0xf1...0xf3: missing = 3
        case 0xf4: (missing, highest) = (3, 0x8f)
        default: return false
        }
        return true
    }
}
