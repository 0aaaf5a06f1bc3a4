package import NIOCore

/// What the live server is told at start. Tests shorten the times; the defaults are the contract's.
package struct LiveServerConfiguration: Sendable {
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    /// Origins of pages that may connect, e.g. `https://app.example`; those on the server's own host always may.
    package var allowedOrigins: [String] = []

    /// Beyond this a new connection is dropped unread. Each idle one costs about 6 KB and a file descriptor.
    package var maximumConnections = 50_000
    /// Beyond this a user's next connection is closed with 4004.
    package var maximumConnectionsPerUser = 20
    /// What a client may send in one message: an auth frame with a long token fits several times.
    package var maximumMessageBytes = 16 * 1024
    /// What may wait for a slow client before it is closed with 4202. Clients that hear the same authors share it.
    package var maximumOutboundBytes = 1024 * 1024
    /// How long more than a quarter of that may wait: twice what the slowest phone network takes.
    package var outboundTimeout: TimeAmount = .seconds(10)
    /// All of a request's head together.
    package var maximumHeaderBytes = 16 * 1024
    /// How many authentications and loads of followees run at once; twenty times as many may wait.
    package var maximumConcurrentJobs = 64

    /// From accepting a connection to the end of its request: a client that trickles its head is dropped.
    package var requestTimeout: TimeAmount = .seconds(10)
    /// From the upgrade to the auth frame of a client that sent no header.
    package var authenticationTimeout: TimeAmount = .seconds(5)
    /// From the credentials to `ready`.
    package var joinTimeout: TimeAmount = .seconds(10)
    package var pingInterval: TimeAmount = .seconds(30)
    package var pongTimeout: TimeAmount = .seconds(10)
    /// How long the peer has to answer a close frame.
    package var closeTimeout: TimeAmount = .seconds(2)
    package var healthCheckTimeout: TimeAmount = .seconds(1)
    /// How long a shutdown waits for clients to go.
    package var shutdownTimeout: TimeAmount = .seconds(5)
    /// The grain of every timer of an open connection.
    package var tickInterval: TimeAmount = .milliseconds(500)

    package init(host: String = "127.0.0.1", port: Int = 4000) {
        self.host = host
        self.port = port
    }
}
