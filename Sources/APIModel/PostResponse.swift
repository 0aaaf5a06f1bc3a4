package import Application
import Domain

/// A post as clients see it, in responses and in frames.
package enum PostResponse {
    package static func write(_ view: PostView, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", view.post.id)
        json.key("author")
        write(view.author, to: &json)
        json.member("text", view.post.text.description)
        json.member("createdAt", view.post.createdAt)
        json.member("visibility", view.post.visibility.rawValue)
        json.endObject()
    }

    /// As much of an author as a list shows.
    package static func write(_ author: UserSummary, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", author.id)
        json.member("username", author.username.description)
        json.member("displayName", author.displayName.description)
        json.endObject()
    }
}
