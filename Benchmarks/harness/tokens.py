"""Access tokens as RestServer makes them: HS256, RFC 9068's header, one session each."""

import base64
import hmac
import json
import time

from harness.dataset import username


class Signer:
    def __init__(self, secret, issuer="martlet"):
        self.secret, self.issuer = secret.encode(), issuer
        self.header = _base64url(b'{"alg":"HS256","typ":"at+jwt"}')

    def token(self, dataset, n):
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": self.issuer, "sub": str(dataset.user_id(n)), "sid": str(dataset.session_id(n)),
            "role": "user", "preferred_username": username(n), "iat": now, "exp": now + 6 * 3600,
        }
        body = self.header + b"." + _base64url(json.dumps(claims, separators=(",", ":")).encode())
        return (body + b"." + _base64url(hmac.digest(self.secret, body, "sha256"))).decode()


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
