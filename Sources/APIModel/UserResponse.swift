package import Application
import Domain

/// A user as clients see them, in the contract's whole shape: pictures, blocks and mutes cannot exist yet.
package enum UserResponse {
    /// How much of a user the reader may see.
    package enum Detail: Sendable {
        case everyone
        /// For oneself and admins: the address, the role and whether the account is suspended too.
        case account
    }

    package static func write(_ profile: Profile, detail: Detail, to json: inout JSONWriter) {
        let user = profile.user
        json.beginObject()
        json.member("id", user.id)
        json.member("username", user.username.description)
        json.member("displayName", user.displayName.description)
        json.member("bio", user.biography.description)
        json.key("picture")
        json.null()
        json.member("createdAt", user.createdAt)
        json.member("followerCount", profile.followerCount)
        json.member("followingCount", profile.followingCount)
        json.member("postCount", profile.postCount)
        if let relationship = profile.relationship {
            json.key("relationship")
            json.beginObject()
            json.member("following", relationship.following)
            json.member("followedBy", relationship.followedBy)
            json.member("blocking", false)
            json.member("muting", false)
            json.endObject()
        }
        switch detail {
        case .everyone: break
        case .account:
            json.key("email")
            if let email = user.email { json.string(email.description) } else { json.null() }
            json.member("role", user.role.rawValue)
            json.member("suspended", user.isSuspended)
        }
        json.endObject()
    }
}
