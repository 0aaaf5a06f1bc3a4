import ArgumentParser
import Bootstrap
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Manage accounts with more rights.",
        subcommands: [Create.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create an admin; the server may be running.")

        @OptionGroup var options: CommonOptions

        @Argument(help: "The name to log in with.")
        var username: String

        @Option(help: "An e-mail address.")
        var email: String?

        @Flag(help: "Read the password from standard input instead of asking for it.")
        var passwordStdin = false

        func run() async throws {
            let password = try passwordStdin ? readPassword() : askForPassword()
            try await presentingErrors {
                let id = try await CommandLineDatabase.createAdmin(
                    options.source(),
                    dataFolder: options.dataDir,
                    username: username,
                    password: password,
                    email: email
                )
                print("Created admin \(username) with id \(id).")
            }
        }

        private func readPassword() throws -> String {
            guard let line = readLine() else { throw ValidationError("There is no password on standard input.") }
            return line
        }

        private func askForPassword() throws -> String {
            guard isatty(STDIN_FILENO) == 1 else {
                throw ValidationError("There is no terminal to ask at: use --password-stdin.")
            }
            guard let first = getpass("Password: ").map({ String(cString: $0) }),
                let second = getpass("Again: ").map({ String(cString: $0) })
            else { throw ValidationError("The password could not be read.") }
            guard first == second else { throw ValidationError("The two passwords differ.") }
            return first
        }
    }
}
