/// Which web pages may connect. A browser sends cookies and the like along with any page's request, and the Origin
/// header is how it tells whose page that was; other clients send none.
struct OriginPolicy: Sendable {
    private let allowed: Set<String>

    /// - Parameter allowed: Origins as browsers write them: `scheme://host`, with a port where it is not the scheme's.
    init(allowed: [String]) {
        self.allowed = Set(allowed.map { Self.normalized($0) })
    }

    /// - Parameters:
    ///   - origins: Every Origin header of the request.
    ///   - host: Its Host header.
    func allows(origins: [String], host: String?) -> Bool {
        guard let origin = origins.first else { return true }
        guard origins.count == 1 else { return false }
        if allowed.contains(Self.normalized(origin)) { return true }
        // A page of the same host on any port: the REST API and its pages have another port than the live feed.
        guard let host, let separator = origin.range(ofASCII: "://") else { return false }
        let scheme = origin[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return false }
        let originHost = Self.hostName(origin[separator.upperBound...])
        return !originHost.isEmpty && originHost == Self.hostName(host[...])
    }

    private static func normalized(_ origin: String) -> String {
        let lowered = origin.lowercased()
        return lowered.hasSuffix("/") ? String(lowered.dropLast()) : lowered
    }

    /// Without the port; an IPv6 address keeps its brackets.
    private static func hostName(_ authority: Substring) -> String {
        let end: Substring.Index
        if authority.first == "[", let bracket = authority.firstIndex(of: "]") {
            end = authority.index(after: bracket)
        } else {
            end = authority.firstIndex(of: ":") ?? authority.endIndex
        }
        return authority[..<end].lowercased()
    }
}

extension String {
    fileprivate func range(ofASCII needle: StaticString) -> Range<String.Index>? {
        let needle = "\(needle)"
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) {
                return start..<index(start, offsetBy: needle.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
