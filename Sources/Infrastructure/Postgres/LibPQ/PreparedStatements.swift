import CPostgres
import SQL

/// Which statements one connection has prepared, under which names.
///
/// A statement is prepared with the types of its arguments. A NULL has none, so the first call with a value in its
/// place prepares the statement once more; from then on both fit.
struct PreparedStatements {
    struct Use {
        /// For C, with its NUL.
        let name: [CChar]
        /// What the statement is, or has to be, prepared with.
        let types: [Oid]
        /// Whether the server has to be told first.
        let isNew: Bool
    }

    private struct Entry {
        let name: [CChar]
        let types: [Oid]
    }

    /// Statements are constants of the code, about a hundred. What comes after this many is prepared each time under no
    /// name, so that text put together at run time cannot fill the server's memory.
    static let nameLimit = 1000

    private var entries: [SQLStatement: Entry] = [:]
    private var namesGiven = 0

    mutating func use(_ statement: SQLStatement, types: [Oid]) -> Use {
        let known = entries[statement]
        if let known, Self.fits(types, known.types) {
            return Use(name: known.name, types: known.types, isNew: false)
        }
        guard namesGiven < Self.nameLimit else { return Use(name: [0], types: types, isNew: true) }
        namesGiven += 1
        // A name is never used twice: whatever became of an earlier one, it does not collide.
        let name = Array("s\(namesGiven)".utf8CString)
        let types = Self.fill(types, from: known?.types ?? [])
        entries[statement] = Entry(name: name, types: types)
        return Use(name: name, types: types, isNew: true)
    }

    mutating func forget(_ statement: SQLStatement) {
        entries[statement] = nil
    }

    private static func fits(_ given: [Oid], _ prepared: [Oid]) -> Bool {
        guard given.count == prepared.count else { return false }
        for index in given.indices where given[index] != prepared[index] && given[index] != TypeOID.any {
            return false
        }
        return true
    }

    /// Keeps what earlier calls said about arguments that are NULL in this one.
    private static func fill(_ given: [Oid], from known: [Oid]) -> [Oid] {
        guard given.count == known.count else { return given }
        return zip(given, known).map { $0 == TypeOID.any ? $1 : $0 }
    }
}
