import CPostgres
import SQL

/// One result of libpq, read and freed.
enum Reply {
    case completed(SQLResult)
    case undecodable(String)
    case refused(ServerError)
    /// Not run, because a statement before it in the same segment failed.
    case skipped
    case synced

    /// Takes the result over.
    /// - Returns: nil if the connection is of no more use: a fatal error, or an answer to nothing we ask.
    init?(_ result: OpaquePointer) throws(PostgresFailure) {
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK:
            do {
                let rows = try SQLRow.rows(of: result)
                self = .completed(SQLResult(rows: rows, affectedRows: martlet_changed_rows(result)))
            } catch {
                self = .undecodable(error.reason)
            }
        case PGRES_COMMAND_OK:
            self = .completed(SQLResult(rows: [], affectedRows: martlet_changed_rows(result)))
        case PGRES_PIPELINE_ABORTED:
            self = .skipped
        case PGRES_PIPELINE_SYNC:
            self = .synced
        case PGRES_FATAL_ERROR:
            // libpq's own errors carry no SQLSTATE: the connection broke.
            guard let sqlState = Self.field(result, MARTLET_DIAG_SQLSTATE) else { return nil }
            let error = ServerError(
                sqlState: sqlState,
                message: Self.field(result, MARTLET_DIAG_MESSAGE) ?? "",
                constraint: Self.field(result, MARTLET_DIAG_CONSTRAINT)
            )
            let severity = Self.field(result, MARTLET_DIAG_SEVERITY)
            guard severity == "ERROR" else { throw .lost("\(sqlState): \(error.message)") }
            self = .refused(error)
        default:
            return nil
        }
    }

    private static func field(_ result: OpaquePointer, _ code: Int) -> String? {
        PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
    }
}

/// A column of a type that ``SQLValue`` does not hold.
private struct UnknownColumnType: Error {
    let reason: String

    init(column: String, type: Oid) {
        let name = Self.names[type] ?? "with the OID \(type)"
        reason = "column \(column) has the type \(name), which must be cast in the statement"
    }

    private static let names: [Oid: String] = [
        26: "oid", 114: "json", 700: "real", 701: "double precision", 1016: "bigint[]", 1009: "text[]", 1042: "char",
        1082: "date", 1114: "timestamp", 1184: "timestamptz", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
    ]
}

private enum ColumnDecoding {
    case bool, bytes, text, int2, int4, int8, void

    init?(_ type: Oid) {
        switch type {
        case TypeOID.bool: self = .bool
        case TypeOID.bytea: self = .bytes
        case TypeOID.name, TypeOID.text, TypeOID.varchar: self = .text
        case TypeOID.int2: self = .int2
        case TypeOID.int4: self = .int4
        case TypeOID.int8: self = .int8
        case TypeOID.void: self = .void
        default: return nil
        }
    }

    func value(_ bytes: UnsafeRawBufferPointer) -> SQLValue {
        switch self {
        case .bool: .bool(bytes[0] != 0)
        case .bytes: .bytes([UInt8](bytes))
        case .text: .text(String(decoding: bytes, as: UTF8.self))
        case .int2: .int(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
        case .int4: .int(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
        case .int8: .int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        case .void: .null
        }
    }
}

extension SQLRow {
    /// Reads the rows of a result in binary format.
    fileprivate static func rows(of result: OpaquePointer) throws(UnknownColumnType) -> [SQLRow] {
        let columnCount = PQnfields(result)
        var columns: [ColumnDecoding] = []
        columns.reserveCapacity(Int(columnCount))
        for column in 0..<columnCount {
            let type = PQftype(result, column)
            guard let decoding = ColumnDecoding(type) else {
                throw UnknownColumnType(column: PQfname(result, column).map { String(cString: $0) } ?? "", type: type)
            }
            columns.append(decoding)
        }
        var rows: [SQLRow] = []
        let rowCount = PQntuples(result)
        rows.reserveCapacity(Int(rowCount))
        for row in 0..<rowCount {
            var values: [SQLValue] = []
            values.reserveCapacity(columns.count)
            for column in 0..<columnCount {
                if PQgetisnull(result, row, column) == 1 {
                    values.append(.null)
                } else {
                    let length = Int(PQgetlength(result, row, column))
                    let bytes = UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: length)
                    values.append(columns[Int(column)].value(bytes))
                }
            }
            rows.append(SQLRow(values))
        }
        return rows
    }
}
