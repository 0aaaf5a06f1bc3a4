package import Application

/// What registration, login and refresh answer with (RFC 6749, 5.1, in camelCase, with the user).
package enum TokenResponse {
    package static func write(_ signedIn: SignedIn, to json: inout JSONWriter) {
        json.beginObject()
        json.key("user")
        UserResponse.write(signedIn.profile, detail: .account, to: &json)
        json.member("accessToken", signedIn.accessToken)
        json.member("tokenType", "Bearer")
        json.member("expiresIn", Int(signedIn.expiresIn.components.seconds))
        json.member("refreshToken", signedIn.refreshToken)
        json.endObject()
    }
}
