package import Domain

extension JSONWriter {
    package mutating func member<Owner>(_ name: StaticString, _ id: Identifier<Owner>) {
        key(name)
        quoted(id.rawValue)
    }

    package mutating func member(_ name: StaticString, _ position: Position) {
        key(name)
        quoted(position.rawValue)
    }

    package mutating func member(_ name: StaticString, _ moment: Timestamp) {
        key(name)
        string(moment.iso8601)
    }
}
