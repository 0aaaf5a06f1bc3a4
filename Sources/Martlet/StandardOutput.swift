#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Standard output is kept back in blocks when it is not a terminal; a frame must show when it comes.
func flushStandardOutput() {
    fflush(nil)
}
