"""HTTP framing, raw: what is ambiguous is answered with 400 and a close, and nothing behind it is interpreted (H1, H2)."""

import re
import socket
import time

import pytest

HOST = b"Host: localhost\r\n"
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n"

BAD = {
    "both_lengths": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two_lengths": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "same_length_twice": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "length_list": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5, 5\r\n\r\nhello",
    "negative_length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "plus_length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nhello",
    "hex_length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 0x5\r\n\r\nhello",
    "length_overflow": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 18446744073709551617\r\n\r\n",
    "chunk_size_garbage": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
    "chunk_size_overflow": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "chunk_without_end": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    "te_unknown": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
    "te_twice": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "te_chunked_not_last": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "te_obfuscated": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "te_in_1_0": b"POST /login HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no_host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two_hosts": b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bad_host": b"GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n",
    "nul_in_value": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "nul_in_target": b"GET /li\0vez HTTP/1.1\r\n" + HOST + b"\r\n",
    "bare_lf": b"GET /livez HTTP/1.1\nHost: localhost\n\n",
    "bare_lf_in_header": b"GET /livez HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "bare_cr": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
    "obs_fold": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "space_before_colon": b"GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "empty_name": b"GET /livez HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "eight_bit_name": b"GET /livez HTTP/1.1\r\n" + HOST + b"X\xff: y\r\n\r\n",
    "no_colon": b"GET /livez HTTP/1.1\r\n" + HOST + b"garbage\r\n\r\n",
    "space_in_target": b"GET /li vez HTTP/1.1\r\n" + HOST + b"\r\n",
    "eight_bit_target": b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "fragment": b"GET /livez#x HTTP/1.1\r\n" + HOST + b"\r\n",
    "lower_case_version": b"GET /livez http/1.1\r\n" + HOST + b"\r\n",
    "http_0_9": b"GET /livez\r\n\r\n",
    "http2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40 + b"\r\n\r\n",
}


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@pytest.mark.parametrize("kind", BAD)
def test_H1_bad_framing_gets_400_and_a_close(server, kind):
    received = server.raw(BAD[kind] + SMUGGLED, timeout_s=5)
    assert len(statuses(received)) == 1, received
    assert statuses(received)[0] in (400, 413, 501, 505), received
    assert statuses(received)[0] == 400 or kind in ("te_unknown", "http2_preface", "te_chunked_not_last", "chunk_size_overflow")
    assert b"Connection: close" in received and b"application/problem+json" in received
    assert re.search(rb"X-Request-Id: \S+", received)


def test_pipelined_requests_are_answered_in_order(server):
    requests = b"".join(b"GET /nothing-%d HTTP/1.1\r\n%s\r\n" % (n, HOST) for n in range(50))
    received = server.raw(requests + b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert statuses(received) == [404] * 50 + [200]


def test_a_request_split_at_every_byte(server):
    request = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.sendall(bytes([byte]))
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    assert statuses(received) == [200]


@pytest.mark.parametrize("request_bytes, expected", [
    (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    (b"GET /livez HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 20000 + b"\r\n\r\n", 431),
    (b"GET /livez HTTP/1.1\r\n" + HOST + b"".join(b"X%d: y\r\n" % n for n in range(100)) + b"\r\n", 431),
    (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 65537\r\n\r\n", 413),
    (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
     + b"4000\r\n" + b"x" * 0x4000 + b"\r\n" + b"c001\r\n" + b"x" * 0xc001 + b"\r\n0\r\n\r\n", 413),
])
def test_H2_sizes_are_limited(server, request_bytes, expected):
    received = server.raw(request_bytes, timeout_s=5)
    assert statuses(received) == [expected] and b"Connection: close" in received


def test_H2_a_body_of_exactly_the_limit_is_read(server):
    body = b" " * (65536 - 2) + b"{}"
    received = server.raw(b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nConnection: close\r\n"
                          b"Content-Length: 65536\r\n\r\n" + body)
    assert statuses(received) == [422]


def test_H2_slow_clients_are_cut(tmp_path):
    from keyward import Keyward
    with Keyward(tmp_path / "data", env={"KEYWARD_SERVER_HEADER_TIMEOUT_S": "1", "KEYWARD_SERVER_BODY_TIMEOUT_S": "1",
                                         "KEYWARD_SERVER_IDLE_TIMEOUT_S": "1"}) as server:
        for start in (b"", b"GET /livez HT", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc"):
            began = time.monotonic()
            received = server.raw(start, timeout_s=10)
            assert time.monotonic() - began < 6
            assert statuses(received) in ([], [408])
        assert server.call("GET", "/livez").status == 200


def test_H3_trace_and_connect_are_off_and_the_banner_is_empty(server):
    for request in (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n",
                    b"BREW /livez HTTP/1.1\r\n" + HOST + b"\r\n"):
        received = server.raw(request + SMUGGLED[:0], timeout_s=2)
        assert statuses(received)[0] in (400, 405, 501), received
        assert b"Server:" not in received and b"Boost" not in received


def test_expect_100_continue(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 2\r\n"
                           b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    assert statuses(received) == [422]


def test_head_has_the_headers_and_no_body(server):
    received = server.raw(b"HEAD /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert statuses(received) == [200] and received.endswith(b"\r\n\r\n")
    assert re.search(rb"Content-Length: [1-9]", received)


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize("method, path", [
    ("GET", "/livez"), ("GET", "/me"), ("GET", "/nothing"), ("DELETE", "/login"), ("POST", "/login"), ("POST", "/register"),
    ("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/.well-known/jwks.json"), ("OPTIONS", "/me"), ("HEAD", "/livez"),
])
def test_S8_security_headers_are_on_every_answer(server, method, path):
    answer = server.call(method, path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.get_all(name) == [value], name
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert "unsafe-inline" not in policy.replace("style-src 'self' 'unsafe-inline'", "")
    assert len(answer.headers.get_all("X-Request-Id")) == 1
    assert "Server" not in answer.headers
    if path not in ("/docs", "/openapi.json", "/.well-known/jwks.json"):
        assert answer.headers["Cache-Control"] == "no-store"


def test_S8_hsts_only_when_the_public_url_is_https(server, tmp_path):
    from keyward import Keyward
    assert "Strict-Transport-Security" not in server.call("GET", "/livez").headers
    with Keyward(tmp_path / "data", "--public-url", "https://id.example.com") as secure:
        assert "max-age=31536000" in secure.call("GET", "/livez").headers["Strict-Transport-Security"]
