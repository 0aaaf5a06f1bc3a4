/// What can be set about the REST server.
package struct RestServerConfiguration: Sendable {
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    /// The folder that holds Swagger UI's files for `/docs`.
    package var docsAssets: String?
    /// The largest JSON body in bytes. The largest that makes sense is a post of 500 characters, 16 KB at its worst.
    package var bodyLimitBytes = 64 * 1024
    /// How long a body may take to arrive: 64 KB within it is slower than any phone network.
    package var bodyTimeout: Duration = .seconds(10)
    /// How long a connection may stay open without a byte, in or between requests; against slow senders.
    package var idleTimeoutSeconds = 60
    /// How long a client may take nothing of what waits for it: in that time a slow phone has taken megabytes.
    package var writeTimeout: Duration = .seconds(60)
    /// How long the last response of a connection has to arrive while the client still sends: to close at once makes TCP
    /// reset, and the response may be lost.
    package var closeTimeout: Duration = .seconds(2)
    /// Connections beyond that wait in the backlog: at about 20 KB each they hold 200 MB.
    package var maximumConnections = 10_000
    /// How many connections the kernel accepts ahead of us; a burst of clients after a restart fits.
    package var backlog = 1024

    package init(host: String = "127.0.0.1", port: Int = 3000, docsAssets: String? = nil) {
        self.host = host
        self.port = port
        self.docsAssets = docsAssets
    }
}
