"""Settings of providers: what is bad is named, and no secret is shown."""

import pytest

from keyward import command
from openid_provider import CLIENT_SECRET, Microsoft

GOOD = {"KEYWARD_PROVIDERS_IDP_ISSUER": "https://id.upstream.example", "KEYWARD_PROVIDERS_IDP_CLIENT_ID": "me",
        "KEYWARD_PROVIDERS_IDP_CLIENT_SECRET": CLIENT_SECRET}
SECTION = 'type = "oidc"\nissuer = "https://id.upstream.example"\nclient_id = "me"\nclient_secret = "x"\n'
BAD_PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("key, value, told", [
    ("ISSUER", None, "issuer"), ("CLIENT_ID", None, "client_id"), ("CLIENT_SECRET", None, "client_secret"),
    ("TYPE", "facebook", "type"), ("ISSUER", "http://id.upstream.example", "issuer"),
    ("ISSUER", "https://u@id.upstream.example", "issuer"), ("ISSUER", "https://id.upstream.example/?a=b", "issuer"),
    ("ISSUER", "id.upstream.example", "issuer"), ("CLIENT_AUTHENTICATION", "none", "client_authentication"),
    ("CLIENT_AUTHENTICATION", "private_key_jwt", "private_key"), ("PRIVATE_KEY", BAD_PEM, "private_key"),
    ("SIGN_UP", "perhaps", "sign_up"), ("TYPE", "apple", "team_id"), ("TYPE", "microsoft", "tenant"),
    ("TRUSTED_DOMAINS", "not a domain", "trusted_domains"), ("CA_FILE", "/nowhere/ca.pem", "ca_file"),
    ("SCOPES", "email profile", "scopes"), ("COLOUR", "red", "colour"),
])
def test_a_bad_setting_of_a_provider_is_named(data, key, value, told):
    env = {**GOOD, f"KEYWARD_PROVIDERS_IDP_{key}": value}
    if value == "microsoft":
        env["KEYWARD_PROVIDERS_IDP_ISSUER"] = None  # which follows from the tenant
    code, out, errors = command("config", "check", data=data, env=env)
    assert code == 1 and told in (out + errors).lower() and CLIENT_SECRET not in out + errors, (key, value, out, errors)
    assert "idp" in (out + errors).lower()


def test_good_settings_of_providers_are_good_and_their_secrets_are_not_shown(data, tmp_path):
    assert command("config", "check", data=data, env=GOOD)[0] == 0
    shown = command("config", "show", data=data, env=GOOD)[1]
    assert "id.upstream.example" in shown and CLIENT_SECRET not in shown
    secret = tmp_path / "secret"
    secret.write_text(CLIENT_SECRET + "\n")
    by_file = {**GOOD, "KEYWARD_PROVIDERS_IDP_CLIENT_SECRET": None, "KEYWARD_PROVIDERS_IDP_CLIENT_SECRET_FILE": str(secret)}
    assert command("config", "check", data=data, env=by_file)[0] == 0
    file = tmp_path / "keyward.toml"
    file.write_text('[social]\nreturn_to_origins = ["https://app.example"]\n[providers.my-idp]\n' + SECTION)
    assert command("config", "check", "--config", file, data=data)[0] == 0
    for bad in ("https://*.example", "http://app.example", "null", "javascript:x"):
        code, out, errors = command("config", "check", data=data, env={"KEYWARD_SOCIAL_RETURN_TO_ORIGINS": bad})
        assert code == 1 and "return_to_origins" in out + errors, bad


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "Common", "example.com", ""])
def test_F6_a_tenant_of_microsoft_is_one(data, tenant):
    env = {"KEYWARD_PROVIDERS_MICROSOFT_CLIENT_ID": "me", "KEYWARD_PROVIDERS_MICROSOFT_CLIENT_SECRET": "x",
           "KEYWARD_PROVIDERS_MICROSOFT_TENANT": Microsoft.tenant}
    assert command("config", "check", data=data, env=env)[0] == 0
    code, out, errors = command("config", "check", data=data, env={**env, "KEYWARD_PROVIDERS_MICROSOFT_TENANT": tenant})
    assert code == 1 and "tenant" in out + errors, out + errors


@pytest.mark.parametrize("name", ["Upper", "-x", "a" * 33, "a.b", "a b", "ä"])
def test_a_name_that_would_not_do_in_a_path_is_refused(data, tmp_path, name):
    file = tmp_path / "keyward.toml"
    file.write_text(f'[providers."{name}"]\n{SECTION}')
    code, out, errors = command("config", "check", "--config", file, data=data)
    assert code == 1 and "providers" in out + errors, out + errors
