/// How long to wait before each attempt to reconnect: doubling, with jitter so that a restarted broker is not met by
/// everyone at once.
struct Backoff {
    /// A broker that only dropped the connection is back at once.
    static let first: Duration = .milliseconds(200)
    /// One that is out stays out for long; more often only fills logs.
    static let limit: Duration = .seconds(5)

    private var next = Self.first

    /// After a connection that worked.
    mutating func reset() {
        next = Self.first
    }

    /// - Parameter jitter: From 0 to 1; takes off up to half.
    mutating func delay(jitter: Double = .random(in: 0...1)) -> Duration {
        defer { next = min(next * 2, Self.limit) }
        return next - next / 2 * jitter
    }
}
