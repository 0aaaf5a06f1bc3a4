/// What the health paths answer, on every port.
package enum HealthResponse {
    /// `Retry-After` of a readiness that is 503: a dependency takes that long to come back.
    package static let retryAfterSeconds = 5

    /// Of a process that runs.
    package static func writeAlive(to json: inout JSONWriter) {
        json.beginObject()
        json.member("status", "up")
        json.endObject()
    }

    /// Of a process that is ready if every dependency is up.
    package static func writeReadiness(_ dependencies: [(name: String, isUp: Bool)], to json: inout JSONWriter) {
        json.beginObject()
        json.member("status", dependencies.allSatisfy(\.isUp) ? "up" : "down")
        json.key("dependencies")
        json.beginArray()
        for dependency in dependencies {
            json.beginObject()
            json.member("name", dependency.name)
            json.member("status", dependency.isUp ? "up" : "down")
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
