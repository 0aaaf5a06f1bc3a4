package import Hummingbird

/// What a request carries through the routes.
package struct MartletRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// What `X-Request-Id` of the response and every log line of this request say.
    var requestID = ""

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
    }
}
