import Application
import TestSupport

/// Every use case over SQLite.
func withServices(
    allowsOpenAdminRegistration: Bool = false,
    _ body: @Sendable (Services) async throws -> Void
) async throws {
    try await Engine.sqlite.withStores { stores in
        try await body(try await Services(stores, allowsOpenAdminRegistration: allowsOpenAdminRegistration))
    }
}

func aRegistration(_ username: String, email: String? = nil, role: String? = nil) -> Registration {
    Registration(username: username, password: Services.password, email: email, role: role)
}
