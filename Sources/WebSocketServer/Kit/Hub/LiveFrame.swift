import APIModel
import Application
import Domain
import NIOCore

/// The frames of the live feed, as `asyncapi.yaml` describes them.
enum LiveFrame {
    static func postCreated(_ event: RecordedEvent, _ post: PostView) -> ByteBuffer {
        aboutPost("post.created", event) { PostResponse.write(post, to: &$0) }
    }

    static func postDeleted(_ event: RecordedEvent, _ post: PostID) -> ByteBuffer {
        aboutPost("post.deleted", event) { json in
            json.beginObject()
            json.member("id", post)
            json.endObject()
        }
    }

    /// - Parameters:
    ///   - since: Where the client said it was, if it did.
    ///   - position: From where on it gets everything.
    static func ready(at position: Position, since: Position?) -> ByteBuffer {
        let isRecovered = since == position
        return frame("ready") { json in
            json.member("position", position)
            json.member("recovered", isRecovered)
            json.member("replayed", 0)
            if since != nil, !isRecovered { json.member("catchUp", "/v1/timelines/home") }
        }
    }

    static func error(_ error: LiveError) -> ByteBuffer {
        frame("error") { json in
            json.member("error", error.word)
            json.member("detail", error.detail)
        }
    }

    private static func aboutPost(
        _ type: String,
        _ event: RecordedEvent,
        _ write: (inout JSONWriter) -> Void
    ) -> ByteBuffer {
        frame(type) { json in
            json.member("id", String(event.id))
            json.member("position", event.position)
            json.member("at", event.recordedAt)
            json.key("post")
            write(&json)
        }
    }

    private static func frame(_ type: String, _ members: (inout JSONWriter) -> Void) -> ByteBuffer {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type)
        members(&json)
        json.endObject()
        return FrameWriter.text(json.bytes)
    }
}
