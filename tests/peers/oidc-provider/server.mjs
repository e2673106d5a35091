// A real OpenID provider for tests/e2e/real_provider.py: panva's oidc-provider, with its own forms for login and consent.
// It says its port in a line; then a line of JSON comes in, `{"clients": [...]}`, and it says `{"ready": true}`.
// Whoever logs in as `ada` is ada@real.example; a name that begins with `unproven` has an address that is not verified.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

process.env.NODE_NO_WARNINGS = "1";
for (const name of ["info", "warn"]) console[name] = () => {}; // its advice for real deployments

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

async function newKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `real-${alg}` };
}

function findAccount(_context, id) {
  return {
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@real.example`, email_verified: !id.startsWith("unproven"), name: `Real ${id}` }),
  };
}

async function start({ clients }) {
  const provider = new Provider(issuer, {
    clients,
    findAccount,
    jwks: { keys: await Promise.all(["RS256", "ES256", "PS256", "EdDSA"].map(newKey)) },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["a key for the cookies of a test"] },
    enabledJWA: {
      idTokenSigningAlgValues: ["RS256", "ES256", "PS256", "EdDSA"],
      clientAuthSigningAlgValues: ["RS256", "ES256", "PS256", "EdDSA"],
    },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    ttl: { AccessToken: 300, AuthorizationCode: 60, IdToken: 300, Interaction: 600, Session: 600, Grant: 600 },
    renderError: (context, out, error) => {
      context.type = "html";
      context.body = `<!doctype html><title>refused</title><pre>${JSON.stringify(out)} ${error.error_detail ?? ""}</pre>`;
    },
  });
  server.on("request", provider.callback());
  say({ ready: true });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "port") say({ issuer });
  else await start(JSON.parse(line));
}
process.exit(0);
