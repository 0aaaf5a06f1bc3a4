package import Application
import Domain

/// A post as clients see it, in responses and in frames.
///
/// It has the contract's whole shape, so that a client's decoder meets no new field later: what nothing can change yet
/// (edits, replies, media, likes, reposts) stands there with the one value it can have.
package enum PostResponse {
    package static func write(_ view: PostView, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", view.post.id)
        json.key("author")
        write(view.author, to: &json)
        json.member("text", view.post.text.description)
        json.member("createdAt", view.post.createdAt)
        json.key("editedAt")
        json.null()
        json.member("visibility", view.post.visibility.rawValue)
        json.key("replyTo")
        json.null()
        json.key("media")
        json.beginArray()
        json.endArray()
        json.member("likeCount", 0)
        json.member("repostCount", 0)
        json.member("replyCount", 0)
        json.key("viewer")
        json.beginObject()
        json.member("liked", false)
        json.member("reposted", false)
        json.endObject()
        json.endObject()
    }

    /// As much of an author as a list shows.
    package static func write(_ author: UserSummary, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", author.id)
        json.member("username", author.username.description)
        json.member("displayName", author.displayName.description)
        json.key("picture")
        json.null()
        json.endObject()
    }
}
