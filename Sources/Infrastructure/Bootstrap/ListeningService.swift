import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A service with a port, which says by its setting that the port is not to be had.
struct ListeningService: Service {
    /// What sets the port.
    let key: String
    let address: String
    let port: Int
    let service: any Service

    func run() async throws {
        do {
            try await service.run()
        } catch let error as IOError where Self.reasonsNotToBind.contains(error.errnoCode) {
            let reason = String(cString: strerror(error.errnoCode))
            throw SettingsError.refused(key, why: "nothing can listen on \(address):\(port): \(reason)")
        }
    }

    private static let reasonsNotToBind = [EADDRINUSE, EADDRNOTAVAIL, EACCES]
}
