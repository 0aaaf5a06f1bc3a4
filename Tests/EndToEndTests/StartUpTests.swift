import TestSupport
import Testing

@Suite("Starting up")
struct StartUpTests {
    @Test("two RestServers that start at once on an empty database both come up, and make its schema once")
    func twoAtOnce() async throws {
        try await PostgresServer.shared.withDatabase(isMigrated: false) { database in
            let parts = Servers.distributed(database: database, broker: try RabbitMQServer.url())
            let processes = try (1...2).map { _ in try ServerProcess("RestServer", environment: parts) }
            do {
                var servers: [RestClient] = []
                for process in processes {
                    servers.append(RestClient(port: try await process.port(after: "REST server listens")))
                }
                let migrated = processes.map { $0.count(of: "Schema migrated") }
                #expect(migrated.contains(0) && migrated.contains { $0 > 0 }, "\(migrated)")
                // What one writes the other reads.
                let ann = try await servers[0].register("ann")
                _ = try await servers[1].logIn(ann.name, RestClient.password).expecting(200)
                for process in processes { #expect(try await process.stop() == 0) }
            } catch {
                for process in processes { try? await process.kill() }  // The failure before is the one to tell of.
                throw error
            }
        }
    }
}
