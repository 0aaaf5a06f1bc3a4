import Crypto
import Domain
import FoundationEssentials
import NIOHTTP1

/// What the live port makes of a request, decided from its head alone.
struct Handshake: Sendable {
    enum Decision: Sendable {
        case upgrade(Upgrade)
        case health(HealthProbe)
        case answer(HTTPAnswer)
    }

    struct Upgrade: Hashable, Sendable {
        /// The value of Sec-WebSocket-Accept.
        let accept: String
        /// From the Authorization header; verified before the upgrade.
        let token: String?
        let since: Position?
    }

    enum HealthProbe: Hashable, Sendable {
        case alive
        case ready
    }

    private let origins: OriginPolicy

    init(allowedOrigins: [String]) {
        origins = OriginPolicy(allowed: allowedOrigins)
    }

    func decide(_ head: HTTPRequestHead, requestID: String) -> Decision {
        func problem(
            _ status: HTTPResponseStatus, _ word: String, _ detail: String, _ headers: HTTPHeaders = [:]
        ) -> Decision {
            .answer(.problem(status, word, detail, requestID: requestID, headers: headers))
        }
        let length = head.headers["Content-Length"]
        guard length.allSatisfy({ $0 == "0" }), !head.headers.contains(name: "Transfer-Encoding") else {
            return problem(.payloadTooLarge, "body_not_allowed", "No request here takes a body.")
        }
        let target = RequestTarget(head.uri)
        let probe: HealthProbe
        switch target.path {
        case "/health", "/health/live": probe = .alive
        case "/health/ready": probe = .ready
        case "/v1/live":
            guard head.method == .GET else {
                return problem(.methodNotAllowed, "method_not_allowed", "Use GET.", ["Allow": "GET"])
            }
            do throws(Refusal) {
                return .upgrade(try upgrade(head, target))
            } catch {
                return problem(error.status, error.word, error.detail, error.headers)
            }
        default: return problem(.notFound, "not_found", "There is nothing here.")
        }
        guard head.method == .GET || head.method == .HEAD else {
            return problem(.methodNotAllowed, "method_not_allowed", "Use GET.", ["Allow": "GET, HEAD"])
        }
        return .health(probe)
    }

    private struct Refusal: Error {
        let status: HTTPResponseStatus
        let word: String
        let detail: String
        let headers: HTTPHeaders

        init(_ status: HTTPResponseStatus, _ word: String, _ detail: String, _ headers: HTTPHeaders = [:]) {
            self.status = status
            self.word = word
            self.detail = detail
            self.headers = headers
        }
    }

    private func upgrade(_ head: HTTPRequestHead, _ target: RequestTarget) throws(Refusal) -> Upgrade {
        let since = try since(in: target)
        guard origins.allows(origins: head.headers["Origin"], host: head.headers.first(name: "Host")) else {
            throw Refusal(.forbidden, "origin_not_allowed", "Pages of this origin may not connect.")
        }
        let upgrades = head.headers[canonicalForm: "Upgrade"].contains { $0.lowercased() == "websocket" }
        let connection = head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
        guard head.version == .http1_1, upgrades, connection else {
            throw Refusal(
                .upgradeRequired, "websocket_expected", "Open a WebSocket here.",
                ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"])
        }
        guard head.headers["Sec-WebSocket-Version"] == ["13"] else {
            throw Refusal(
                .upgradeRequired, "unsupported_websocket_version", "Use version 13 of the WebSocket protocol.",
                ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"])
        }
        let keys = head.headers["Sec-WebSocket-Key"]
        guard keys.count == 1, let key = keys.first, WebSocketKey.isValid(key) else {
            throw Refusal(.badRequest, "invalid_websocket_key", "Sec-WebSocket-Key must be 16 bytes in base64.")
        }
        let token = try token(in: head.headers["Authorization"])
        return Upgrade(accept: WebSocketKey.accept(key), token: token, since: since)
    }

    private func since(in target: RequestTarget) throws(Refusal) -> Position? {
        var since: Position?
        for (name, value) in target.query {
            switch name {
            case "since":
                guard since == nil, let position = Position(decimal: value) else {
                    throw Refusal(.badRequest, "invalid_since", "since must be one position, in decimal digits.")
                }
                since = position
            case "token", "access_token":
                // URLs end up in logs and histories, and a token with them.
                throw Refusal(
                    .badRequest, "token_in_url", "Send the token in the Authorization header or in an auth frame.")
            default:
                throw Refusal(.badRequest, "unknown_parameter", "The only parameter is since.")
            }
        }
        return since
    }

    private func token(in authorization: [String]) throws(Refusal) -> String? {
        guard let value = authorization.first else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard authorization.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Refusal(
                .unauthorized, "invalid_authorization", "Use the Bearer scheme.",
                ["WWW-Authenticate": #"Bearer realm="martlet""#])
        }
        return String(parts[1])
    }
}

/// The opening handshake's proof that the server understood it (RFC 6455, 4.2.2).
package enum WebSocketKey {
    static func isValid(_ key: String) -> Bool {
        // Base64 of 16 bytes is 22 characters and "==".
        key.utf8.count == 24 && Data(base64Encoded: key)?.count == 16
    }

    package static func accept(_ key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(digest).base64EncodedString()
    }
}
