import Application
import Domain
import TestSupport
import Testing

@Suite("Accounts")
struct AccountsTests {
    @Test("nobody but an admin makes an admin")
    func adminRole() async throws {
        try await withServices { services in
            let user = try await services.accounts.register(aRegistration("ann"), by: nil)
            let ordinary = try await services.authenticator.principal(for: user.accessToken)
            for caller in [nil, ordinary] {
                await expectRefusal(.forbidden, "role_not_allowed") {
                    try await services.accounts.register(aRegistration("eve", role: "admin"), by: caller)
                }
            }
            #expect(try await services.stores.users.user(named: Username("eve")) == nil)

            _ = try await services.createAccount(aRegistration("root", role: "admin"))
            let root = try await services.sessions.logIn(username: "root", password: Services.password)
            let admin = try await services.authenticator.principal(for: root.accessToken)
            let second = try await services.accounts.register(aRegistration("second", role: "admin"), by: admin)
            #expect(second.profile.user.role == .admin)
        }
    }

    @Test("an open door lets anyone in as an admin")
    func openAdminRegistration() async throws {
        try await withServices(allowsOpenAdminRegistration: true) { services in
            let eve = try await services.accounts.register(aRegistration("eve", role: "admin"), by: nil)
            #expect(try await services.authenticator.principal(for: eve.accessToken).role == .admin)
        }
    }

    @Test("a name and an address belong to one account, whatever their case")
    func conflicts() async throws {
        try await withServices { services in
            _ = try await services.accounts.register(aRegistration("ann", email: "ann@example.com"), by: nil)
            await expectRefusal(.conflict, "username_taken") {
                try await services.accounts.register(aRegistration("Ann"), by: nil)
            }
            await expectRefusal(.conflict, "email_taken") {
                try await services.accounts.register(aRegistration("bob", email: "ANN@example.com"), by: nil)
            }
            let bob = try await services.accounts.register(aRegistration("bob"), by: nil)
            let caller = try await services.authenticator.principal(for: bob.accessToken)
            await expectRefusal(.conflict, "username_taken") {
                try await services.accounts.update(AccountUpdate(username: "ann"), by: caller)
            }
            await expectRefusal(.conflict, "email_taken") {
                try await services.accounts.update(AccountUpdate(email: "ann@EXAMPLE.com"), by: caller)
            }
        }
    }

    @Test("a registration learns of every rule it breaks at once")
    func violations() async throws {
        try await withServices { services in
            let error = await #expect(throws: ApplicationError.self) {
                let broken = Registration(
                    username: "a", password: "short", email: "nowhere", displayName: " ", role: "king"
                )
                return try await services.accounts.register(broken, by: nil)
            }
            #expect(error?.code == .invalid)
            #expect(error?.violations.map(\.field) == ["username", "password", "email", "displayName", "role"])
        }
    }

    @Test("a change keeps what it does not name")
    func update() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann", email: "ann@example.com"), by: nil)
            let caller = try await services.authenticator.principal(for: ann.accessToken)
            let changed = try await services.accounts.update(AccountUpdate(displayName: "Ann"), by: caller).user
            #expect(changed.displayName.description == "Ann")
            #expect(changed.username.description == "ann")
            #expect(changed.email?.description == "ann@example.com")
            let cleared = try await services.accounts.update(AccountUpdate(email: .some(nil)), by: caller).user
            #expect(cleared.email == nil)
            #expect(try await services.accounts.update(AccountUpdate(), by: caller).user == cleared)
        }
    }

    @Test("an account goes with its password alone, and takes its sessions with it at once")
    func deletion() async throws {
        try await withServices { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let caller = try await services.authenticator.principal(for: ann.accessToken)
            await expectRefusal(.forbidden, "wrong_password") {
                try await services.accounts.delete(caller, password: "wrong password")
            }
            #expect(try await services.accounts.profile(of: caller).user.id == caller.userID)

            try await services.accounts.delete(caller, password: Services.password)
            await expectRefusal(.unauthenticated, "session_revoked") {
                try await services.authenticator.principal(for: ann.accessToken)
            }
            await expectRefusal(.unauthenticated, "invalid_refresh_token") {
                try await services.sessions.refresh(ann.refreshToken)
            }
            await expectRefusal(.unauthenticated, "invalid_credentials") {
                try await services.sessions.logIn(username: "ann", password: Services.password)
            }
            let events = try await services.stores.events.stamp(limit: 10, published: .start)
            #expect(events.map(\.event) == [.userDeleted(caller.userID)])
        }
    }

    @Test("the list of everyone is for admins")
    func list() async throws {
        try await withServices(allowsOpenAdminRegistration: true) { services in
            let ann = try await services.accounts.register(aRegistration("ann"), by: nil)
            let root = try await services.accounts.register(aRegistration("root", role: "admin"), by: nil)
            let (ordinary, admin) = (
                try await services.authenticator.principal(for: ann.accessToken),
                try await services.authenticator.principal(for: root.accessToken)
            )
            await expectRefusal(.forbidden, "admin_only") {
                try await services.accounts.all(matching: nil, page: PageRequest(), by: ordinary)
            }
            let everyone = try await services.accounts.all(matching: nil, page: PageRequest(), by: admin)
            #expect(everyone.items.map(\.user.username.description) == ["root", "ann"])
        }
    }
}
