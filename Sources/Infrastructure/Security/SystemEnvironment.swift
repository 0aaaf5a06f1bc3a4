import Application
package import Domain

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The clock of this machine.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        // It cannot fail: the clock exists everywhere and the pointer is good.
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// The random bits of this machine: `getrandom(2)` on Linux, `arc4random_buf(3)` on macOS.
package struct SystemEntropy: Entropy {
    package init() {}

    package func bits() -> UInt32 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
