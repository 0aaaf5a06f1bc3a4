import CPostgres

/// The types that travel in binary, by their fixed numbers (PostgreSQL's pg_type.dat).
enum TypeOID {
    static let any: Oid = 0
    static let bool: Oid = 16
    static let bytea: Oid = 17
    static let name: Oid = 19
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let varchar: Oid = 1043
    static let void: Oid = 2278
}
