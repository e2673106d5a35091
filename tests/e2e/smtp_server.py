"""A real SMTP server for the tests (aiosmtpd), with certificates of its own making."""

import asyncio
import datetime
import email
import email.policy
import ipaddress
import ssl
import threading

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _write(path, key, certificates):
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption())
                     + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))
    return path


class Authority:
    """A certificate authority that nobody else knows. `ca_file` is what Keyward is told to trust."""

    def __init__(self, folder, name="test"):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(name + " authority", self.key, None, is_ca=True)
        self.ca_file = folder / f"{name}-ca.pem"
        self.ca_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, common_name, key, names, is_ca=False, days=(-1, 30)):
        now = datetime.datetime.utcnow()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer = subject if is_ca else self.certificate.subject
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=days[0]))
                   .not_valid_after(now + datetime.timedelta(days=days[1]))
                   .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def context(self, name, host="localhost", days=(-1, 30)):
        """What a server shows that has a certificate of this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        chain = _write(self.folder / f"{self.name}-{name}.pem", key, [self._sign(host, key, names, days=days)])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


class _Handler:
    def __init__(self, server):
        self.server = server

    async def handle_RCPT(self, _server, _session, envelope, address, options):
        if answer := self.server.refuse_recipient:
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        self.server.deliveries.append(Delivery(session, envelope, self.server.tls is not None))
        if self.server.before_answer is not None:
            self.server.before_answer()
        return self.server.data_answer


class Delivery:
    def __init__(self, session, envelope, implicit_tls):
        self.sender, self.recipients = envelope.mail_from, list(envelope.rcpt_tos)
        self.encrypted = implicit_tls or session.ssl is not None
        self.login = getattr(session, "login", None)
        self.raw = envelope.original_content
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def message_id(self):
        return self.message["Message-ID"]


class SmtpServer:
    """Use as a context manager, or start() and stop(); keeps its port when it is started again.

    tls: a context for smtps; starttls: a context for STARTTLS (required before anything else)."""

    def __init__(self, tls=None, starttls=None, login=None, port=0):
        self.tls, self.starttls, self.login, self.port = tls, starttls, login, port
        self.deliveries = []
        self.refuse_recipient = None
        self.data_answer = "250 OK"
        self.before_answer = None
        self.logins = []
        self.loop = self.listener = self.thread = None

    def _authenticate(self, _server, session, _envelope, mechanism, data):
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        session.login = given[0]
        return AuthResult(success=given == self.login)

    def _make_session(self):
        options = {}
        if self.starttls is not None:
            options |= {"tls_context": self.starttls, "require_starttls": True}
        if self.login is not None:
            options |= {"authenticator": self._authenticate, "auth_required": True,
                        "auth_require_tls": self.starttls is not None}
        return SMTP(_Handler(self), enable_SMTPUTF8=True, hostname="localhost", loop=self.loop, **options)

    def start(self):
        self.loop = asyncio.new_event_loop()
        self.listener = self.loop.run_until_complete(
            self.loop.create_server(self._make_session, "127.0.0.1", self.port, ssl=self.tls))
        self.port = self.listener.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.listener.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def url(self, scheme="smtp", host="localhost"):
        return f"{scheme}://{host}:{self.port}"
