"""Providers that people log in with, as the tests play them: an OpenID provider that checks what a real one checks, and lies
where a test says so; and what Google, GitLab, Microsoft and Apple do differently."""

import dataclasses
import itertools
import json
import secrets
import time
import urllib.parse
from base64 import b64decode

from peer_http import Peer, Reply
from signing import Key, challenge_of, half_hash, token_of, verified_es256

ABSENT = object()  # in place of a value: the member is not there
CLIENT_SECRET = "s3cret of/the+client: 100% & more="  # which Basic must encode (RFC 6749 §2.3.1)
_people = itertools.count(1)


def without_absent(members):
    return {name: value for name, value in members.items() if value is not ABSENT}


def new_person(word="ada", domain="upstream.example", **more):
    """Claims about somebody whom no test has seen yet."""
    number = next(_people)
    return {"sub": f"{word}-{number}", "email": f"{word}.{number}@{domain}", "email_verified": True, "name": f"{word} {number}",
            **more}


@dataclasses.dataclass
class Twist:
    """What is not as it should be in one login; goes with its code to the token and userinfo endpoints."""

    claims: dict = dataclasses.field(default_factory=dict)  # of the ID token
    header: dict = dataclasses.field(default_factory=dict)
    key: object = None  # that signs
    id_token: object = None  # a function (header, claims) → the token
    userinfo: dict = dataclasses.field(default_factory=dict)
    token: object = None  # a function of the token answer's members that gives the Reply
    callback: dict = dataclasses.field(default_factory=dict)  # parameters of the way back


def says_no(error, **more):
    """A way back without a code."""
    return Twist(callback={"code": ABSENT, "error": error, **more})


class OAuthPeer(Peer):
    """The code flow (RFC 6749, 7636, 9207): what GitHub and an OpenID provider have in common."""

    kind = "oidc"
    authentication = "client_secret_basic"
    token_path = "/token"
    needs_nonce = True

    def __init__(self, peers, name, **more):
        super().__init__(peers, name)
        self.client_id, self.client_secret = f"keyward at {name}", CLIENT_SECRET
        self.codes, self.tokens, self.redeemed = {}, {}, set()
        self.person = None  # who is at the browser that comes to /authorize
        self.client_key, self.assertions = Key("ES256", f"client-of-{name}"), []
        for member, value in more.items():
            setattr(self, member, value)

    @property
    def issuer(self):
        return self.base

    def settings(self, **more):
        """Of Keyward, as its environment."""
        values = {"type": self.kind, "issuer": self.issuer, "client_id": self.client_id, "client_secret": self.client_secret,
                  "private_network": "true"}
        if self.authentication == "private_key_jwt":
            values |= {"client_secret": None, "client_authentication": "private_key_jwt", "private_key": self.client_key.pem,
                       "key_id": self.client_key.kid}
        values |= more
        prefix = f"KEYWARD_PROVIDERS_{self.name.upper().replace('-', '_')}_"
        return {prefix + key.upper(): value for key, value in values.items() if value is not None}

    # ── The browser comes ────────────────────────────────────────────────────────────────────────────────────────────
    def authorize(self, url, person, twist=None):
        """What the provider sends the browser back with when this person logged in there: (redirect_uri, parameters)."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, strict_parsing=True))
        wrong = self.wrong_with(query)
        assert not wrong, f"{self.name}: a real provider would not take {url}: {wrong}"
        twist, code = twist or Twist(), secrets.token_urlsafe(24)
        self.codes[code] = {"query": query, "person": person, "twist": twist}
        parameters = {"code": code, "state": query["state"]}
        if self.tells_issuer:
            parameters["iss"] = self.issuer
        return query["redirect_uri"], without_absent({**parameters, **twist.callback})

    tells_issuer = True

    def wrong_with(self, query):
        wrong = [name for name in ("state", "redirect_uri", "scope") if not query.get(name)]
        wrong += ["nonce"] if self.needs_nonce and len(query.get("nonce", "")) < 22 else []
        wrong += ["state is short"] if len(query.get("state", "")) < 22 else []
        wrong += ["challenge"] if len(query.get("code_challenge", "")) != 43 or query.get("code_challenge_method") != "S256" else []
        wrong += ["client_id"] if query.get("client_id") != self.client_id else []
        wrong += ["response_type"] if query.get("response_type") != "code" else []
        return wrong

    def do_authorize(self, asked):
        target, parameters = self.authorize("?" + urllib.parse.urlencode(asked.query), self.person or new_person())
        return Reply(303, headers={"Location": target + "?" + urllib.parse.urlencode(parameters)})

    # ── The server comes ─────────────────────────────────────────────────────────────────────────────────────────────
    def client_error(self, asked):
        form, header = asked.form, asked.headers.get("Authorization", "")
        if self.authentication == "private_key_jwt":
            return "both ways" if header or "client_secret" in form else self.assertion_error(form)
        if self.authentication == "client_secret_basic":
            if "client_secret" in form or not header.startswith("Basic "):
                return "not by Basic"
            client, _, secret = b64decode(header[6:]).decode().partition(":")
            client, secret = urllib.parse.unquote_plus(client), urllib.parse.unquote_plus(secret)
        else:
            if header:
                return "both ways"
            client, secret = form.get("client_id"), form.get("client_secret")
        return None if (client, secret) == (self.client_id, self.client_secret) else f"not the client: {client} {secret}"

    def assertion_error(self, form):
        """RFC 7523 §3."""
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return "client_assertion_type"
        signed = verified_es256(form.get("client_assertion", ""), self.client_key.private.public_key())
        if signed is None:
            return "client_assertion: bad signature"
        header, claims = signed
        now = time.time()
        good = {"alg": header.get("alg") == "ES256", "kid": header.get("kid") == self.client_key.kid,
                "iss": claims.get("iss") == self.client_id, "sub": claims.get("sub") == self.client_id,
                "aud": claims.get("aud") in (self.issuer, self.issuer + self.token_path),
                "jti": claims.get("jti") not in (None, *self.assertions),
                "exp": now < claims.get("exp", 0) <= now + 300, "iat": claims.get("iat", 0) <= now + 1}
        self.assertions.append(claims.get("jti"))
        return ", ".join(f"client_assertion: {name}" for name, is_good in good.items() if not is_good) or None

    def redeem(self, asked):
        """(what the code was given for, None), or (None, what is wrong)."""
        form = asked.form
        if asked.method != "POST" or form is None:
            return None, self.complain("not a form")
        if wrong := self.client_error(asked):
            return None, self.complain(wrong, "invalid_client", 401)
        if form.get("grant_type") != "authorization_code":
            return None, self.complain("grant_type", "unsupported_grant_type")
        with self.lock:
            known = self.codes.pop(form.get("code"), None)
            if known is None:
                return None, self.complain("code", "invalid_grant")
            self.redeemed.add(form["code"])
        if form.get("redirect_uri") != known["query"]["redirect_uri"]:
            return None, self.complain("redirect_uri", "invalid_grant")
        if challenge_of(form.get("code_verifier", "")) != known["query"]["code_challenge"]:
            return None, self.complain("code_verifier", "invalid_grant")
        return known, None

    def access_token_for(self, known):
        token = "at." + secrets.token_urlsafe(24)
        self.tokens[token] = known
        return token

    def bearer_of(self, asked):
        return self.tokens.get(asked.headers.get("Authorization", "").removeprefix("Bearer "))

    def give(self, known, members):
        """The token endpoint's answer."""
        return known["twist"].token(members) if known["twist"].token else Reply.json(without_absent(members))

    @property
    def token_requests(self):
        return self.counts[self.token_path]


class OpenIdProvider(OAuthPeer):
    in_id_token = ("email", "email_verified", "name")  # the rest is for /userinfo

    def __init__(self, peers, name, algorithm="RS256", **more):
        self.keys = [Key(algorithm, f"{name}-1")]
        self.metadata_twist = {}
        super().__init__(peers, name, **more)

    @property
    def metadata(self):
        base = self.issuer
        return {"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token",
                "userinfo_endpoint": base + "/userinfo", "jwks_uri": base + "/jwks", "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA", "HS256"],
                "token_endpoint_auth_methods_supported": [self.authentication], "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": self.tells_issuer}

    def do_well_known_openid_configuration(self, _asked):
        return Reply.json(without_absent({**self.metadata, **self.metadata_twist}))

    def do_jwks(self, _asked):
        return Reply.json({"keys": [key.jwk for key in self.keys]})

    def wrong_with(self, query):
        return super().wrong_with(query) + ([] if "openid" in query["scope"].split(" ") else ["scope without openid"])

    def right_claims(self, known, access_token):
        now = int(time.time())
        person, told = known["person"], (*self.in_id_token, "hd")
        return {"iss": self.issuer, "aud": self.client_id, "sub": person["sub"], "iat": now, "exp": now + 300,
                "nonce": known["query"].get("nonce"), "at_hash": half_hash(access_token, self.keys[0].algorithm),
                **{name: value for name, value in person.items() if name in told}}

    def id_token_for(self, known, access_token):
        twist, key = known["twist"], known["twist"].key or self.keys[0]
        claims = without_absent({**self.right_claims(known, access_token), **twist.claims})
        header = {"alg": getattr(key, "algorithm", "RS256"), "kid": getattr(key, "kid", "k"), "typ": "JWT"}
        header = without_absent({**header, **twist.header})
        return twist.id_token(header, claims) if twist.id_token else token_of(header, claims, key)

    def do_token(self, asked):
        known, refusal = self.redeem(asked)
        if refusal:
            return refusal
        access_token = self.access_token_for(known)
        return self.give(known, {"access_token": access_token, "token_type": "Bearer", "expires_in": 300,
                                 "id_token": self.id_token_for(known, access_token)})

    def do_userinfo(self, asked):
        known = self.bearer_of(asked)
        if known is None:
            return Reply.json({"error": "invalid_token"}, 401)
        return Reply.json(without_absent({**known["person"], **known["twist"].userinfo}))


class Google(OpenIdProvider):
    kind = "google"


class GitLab(OpenIdProvider):
    kind = "gitlab"


class Microsoft(OpenIdProvider):
    """One tenant of Entra ID."""

    kind, tells_issuer = "microsoft", False
    tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"

    @property
    def issuer(self):
        return f"{self.base}/{self.tenant}/v2.0"

    def answer(self, asked):
        asked.path = asked.path.removeprefix(f"/{self.tenant}/v2.0")
        return super().answer(asked)

    def settings(self, **more):
        return super().settings(**{"tenant": self.tenant, **more})

    def right_claims(self, known, access_token):
        return {**super().right_claims(known, access_token), "tid": self.tenant, "ver": "2.0", "email_verified": ABSENT,
                "xms_edov": known["person"]["email_verified"]}


class Apple(OpenIdProvider):
    """Sign in with Apple: a client secret that the client signs, an answer by form, the name only there and only once."""

    kind, authentication, tells_issuer = "apple", "client_secret_post", False
    team, key_id = "TEAM123456", "KEY1234567"

    def __init__(self, peers, name, **more):
        super().__init__(peers, name, **more)
        self.client_key, self.seen = Key("ES256", self.key_id), set()

    @property
    def metadata(self):
        return {**super().metadata, "userinfo_endpoint": ABSENT, "response_modes_supported": ["query", "fragment", "form_post"]}

    def settings(self, **more):
        return super().settings(**{"client_secret": None, "private_key": self.client_key.pem, "key_id": self.key_id,
                                   "team_id": self.team, **more})

    def wrong_with(self, query):
        return super().wrong_with(query) + ([] if query.get("response_mode") == "form_post" else ["response_mode"])

    def authorize(self, url, person, twist=None):
        target, parameters = super().authorize(url, person, twist)
        if person["sub"] not in self.seen:
            self.seen.add(person["sub"])
            first, _, last = person["name"].partition(" ")
            parameters["user"] = json.dumps({"name": {"firstName": first, "lastName": last}, "email": person["email"]})
        return target, parameters

    def right_claims(self, known, access_token):
        claims = super().right_claims(known, access_token)
        return {**claims, "name": ABSENT, "nonce_supported": True, "email_verified": str(claims["email_verified"]).lower()}

    def client_error(self, asked):
        if asked.headers.get("Authorization") or asked.form.get("client_id") != self.client_id:
            return "not by form"
        signed = verified_es256(asked.form.get("client_secret", ""), self.client_key.private.public_key())
        if signed is None:
            return "client_secret: bad signature"
        header, claims = signed
        now = time.time()
        good = {"alg": header.get("alg") == "ES256", "kid": header.get("kid") == self.key_id, "iss": claims.get("iss") == self.team,
                "sub": claims.get("sub") == self.client_id, "aud": claims.get("aud") in ("https://appleid.apple.com", self.issuer),
                "iat": claims.get("iat", now + 99) <= now + 1, "exp": now < claims.get("exp", 0) <= now + 15777000}
        return ", ".join(f"client_secret: {name}" for name, is_good in good.items() if not is_good) or None
