import CPostgres
import SQL

/// Arguments in PostgreSQL's binary format, as libpq wants them. Keeps its storage from statement to statement.
struct ParameterBuffer {
    /// ``TypeOID/any`` for NULL, whose type the server infers.
    private(set) var types: [Oid] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    /// Where each value starts in `bytes`; nil for NULL.
    private var offsets: [Int?] = []
    private var bytes: [UInt8] = []

    mutating func encode(_ arguments: [SQLValue]) {
        types.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        while formats.count < arguments.count { formats.append(1) }
        for argument in arguments {
            let start = bytes.count
            switch argument {
            case .null:
                types.append(TypeOID.any)
            case .int(let value):
                types.append(TypeOID.int8)
                withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
            case .text(let value):
                types.append(TypeOID.text)
                bytes.append(contentsOf: value.utf8)
            case .bool(let value):
                types.append(TypeOID.bool)
                bytes.append(value ? 1 : 0)
            case .bytes(let value):
                types.append(TypeOID.bytea)
                bytes.append(contentsOf: value)
            }
            offsets.append(argument == .null ? nil : start)
            lengths.append(Int32(bytes.count - start))
        }
        // libpq takes a null pointer for NULL: an empty value needs a place to point to.
        bytes.append(0)
    }

    /// - Parameter body: gets values, lengths and formats; the pointers end with it.
    func withPointers<Outcome>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Outcome
    ) -> Outcome {
        bytes.withUnsafeBytes { bytes in
            let base = bytes.bindMemory(to: CChar.self).baseAddress
            let capacity = offsets.count + 1
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: capacity) { values in
                for (index, offset) in offsets.enumerated() {
                    values.initializeElement(at: index, to: offset.flatMap { offset in base.map { $0 + offset } })
                }
                return body(values.baseAddress.map { UnsafePointer($0) }, lengths, formats)
            }
        }
    }
}
