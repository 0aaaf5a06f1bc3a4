/// How long to wait before the next attempt to connect: doubling, with jitter so that servers do not come all at once.
struct Backoff: Hashable {
    /// A restart of PostgreSQL takes a few hundred milliseconds at best.
    static let shortest = Duration.milliseconds(100)
    /// Long enough to leave a starting server alone, short enough that nobody notices it being up first.
    static let longest = Duration.seconds(2)

    private var failures = 0

    init() {}

    mutating func reset() {
        failures = 0
    }

    /// - Parameter fraction: 0 ..< 1, random.
    mutating func next(fraction: Double = .random(in: 0..<1)) -> Duration {
        let step = min(Self.shortest * (1 << min(failures, 10)), Self.longest)
        failures += 1
        return step * (0.5 + fraction / 2)
    }
}
