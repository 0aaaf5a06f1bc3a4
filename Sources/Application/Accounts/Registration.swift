import Domain

/// A registration as it was sent.
package struct Registration: Sendable {
    package var username: String
    package var password: String
    package var email: String?
    package var displayName: String?
    package var role: String?

    package init(
        username: String,
        password: String,
        email: String? = nil,
        displayName: String? = nil,
        role: String? = nil
    ) {
        self.username = username
        self.password = password
        self.email = email
        self.displayName = displayName
        self.role = role
    }

    struct Validated: Sendable {
        let username: Username
        let password: Password
        let email: EmailAddress?
        let displayName: DisplayName
        let role: Role
    }

    /// - Throws: ``ApplicationError`` `invalid` with every broken rule.
    func validated() throws -> Validated {
        var violations = Violations()
        let username = violations.check { () throws(Violation) in try Username(self.username) }
        let password = violations.check { () throws(Violation) in try Password(new: self.password) }
        let email = self.email.flatMap { text in
            violations.check { () throws(Violation) in try EmailAddress(text) }
        }
        let displayName = self.displayName.flatMap { text in
            violations.check { () throws(Violation) in try DisplayName(text) }
        }
        let role = violations.check { () throws(Violation) in try Role(given: self.role ?? Role.user.rawValue) }
        try violations.throwIfAny()
        guard let username, let password, let role else { throw ApplicationError.defect("a rule broke unnoticed") }
        return Validated(
            username: username,
            password: password,
            email: email,
            displayName: displayName ?? DisplayName(stored: username.description),
            role: role
        )
    }
}

/// A change of the caller's own account as it was sent; `nil` leaves a field as it is.
package struct AccountUpdate: Sendable {
    package var username: String?
    package var displayName: String?
    package var biography: String?
    /// `.some(nil)` removes the address.
    package var email: String??

    package init(
        username: String? = nil,
        displayName: String? = nil,
        biography: String? = nil,
        email: String?? = nil
    ) {
        self.username = username
        self.displayName = displayName
        self.biography = biography
        self.email = email
    }

    /// - Throws: ``ApplicationError`` `invalid` with every broken rule.
    func validated() throws -> ProfileChange {
        var violations = Violations()
        var change = ProfileChange()
        change.username = username.flatMap { text in
            violations.check { () throws(Violation) in try Username(text) }
        }
        change.displayName = displayName.flatMap { text in
            violations.check { () throws(Violation) in try DisplayName(text) }
        }
        change.biography = biography.flatMap { text in
            violations.check { () throws(Violation) in try Biography(text) }
        }
        switch email {
        case .none: break
        case .some(.none): change.email = .some(nil)
        case .some(.some(let text)):
            change.email = violations.check { () throws(Violation) in try EmailAddress(text) }.map(Optional.some)
        }
        try violations.throwIfAny()
        return change
    }
}

extension Role {
    fileprivate init(given text: String) throws(Violation) {
        guard let role = Role(rawValue: text) else {
            throw Violation(field: "role", code: "unknown_value", detail: "Use user or admin.")
        }
        self = role
    }
}
