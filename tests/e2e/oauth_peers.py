"""GitHub's and Discord's interfaces, as far as a login uses them: OAuth without OpenID, and each its own word for a person."""

from openid_provider import OAuthPeer
from peer_http import Reply


class GitHub(OAuthPeer):
    """As GitHub Enterprise Server has it. person: sub is the number, `emails` overrides the list of addresses."""

    kind, authentication, tells_issuer, needs_nonce = "github", "client_secret_post", False, False
    token_path = "/login/oauth/access_token"

    do_login_oauth_authorize = OAuthPeer.do_authorize

    def do_login_oauth_access_token(self, asked):
        known, refusal = self.redeem(asked)
        if refusal:
            refusal.status = 200  # GitHub says so with 200
            return refusal
        if "application/json" not in asked.headers.get("Accept", ""):
            return Reply(200, b"access_token=x&token_type=bearer", {"Content-Type": "application/x-www-form-urlencoded"})
        return self.give(known, {"access_token": self.access_token_for(known), "token_type": "bearer", "scope": "read:user,user:email"})

    def _person(self, asked):
        if not asked.headers.get("User-Agent"):
            return None, Reply.json({"message": "Request forbidden by administrative rules"}, 403)
        known = self.bearer_of(asked)
        return known, None if known else Reply.json({"message": "Bad credentials"}, 401)

    def do_api_v3_user(self, asked):
        known, refusal = self._person(asked)
        if refusal:
            return refusal
        person = known["person"]
        # The address of the profile is what the person typed there: nothing of it is proven.
        return Reply.json({"id": person["sub"], "login": "octo", "name": person["name"], "email": "profile@somebody-else.example",
                           **known["twist"].userinfo})

    def do_api_v3_user_emails(self, asked):
        known, refusal = self._person(asked)
        if refusal:
            return refusal
        person = known["person"]
        emails = person.get("emails", [{"email": "old." + person["email"], "primary": False, "verified": True, "visibility": None},
                                       {"email": person["email"], "primary": True, "verified": person["email_verified"],
                                        "visibility": "private"}])
        return Reply.json(emails)


class Discord(OAuthPeer):
    kind, authentication, tells_issuer, needs_nonce = "discord", "client_secret_basic", False, False
    token_path = "/api/oauth2/token"

    do_oauth2_authorize = OAuthPeer.do_authorize

    def client_error(self, asked):
        """Both ways are taken there."""
        if "client_secret" not in asked.form:
            return super().client_error(asked)
        sent = asked.form.get("client_id"), asked.form["client_secret"]
        return None if sent == (self.client_id, self.client_secret) and not asked.headers.get("Authorization") else "not the client"

    def do_api_oauth2_token(self, asked):
        known, refusal = self.redeem(asked)
        return refusal or self.give(known, {"access_token": self.access_token_for(known), "token_type": "Bearer",
                                            "expires_in": 604800, "scope": "identify email"})

    def do_api_users_me(self, asked):
        known = self.bearer_of(asked)
        if known is None:
            return Reply.json({"message": "401: Unauthorized", "code": 0}, 401)
        person = known["person"]
        return Reply.json({"id": person["sub"], "username": "wumpus", "global_name": person["name"], "email": person["email"],
                           "verified": person["email_verified"], "avatar": None, **known["twist"].userinfo})
