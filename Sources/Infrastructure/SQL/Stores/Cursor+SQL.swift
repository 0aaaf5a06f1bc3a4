import Application

extension SQLValue {
    /// The exclusive upper bound of a page's keys: everything for the first page.
    static func after(_ cursor: Cursor?) -> SQLValue { .int(cursor?.key ?? .max) }
}
