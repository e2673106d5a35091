"""A mail server that speaks line by line as it is told, for what no good server does."""

import socket
import threading
import time


class FaultySmtp:
    """Use as a context manager. `answers`: verb → the lines to answer with; b"" says nothing; a function is called with this
    server and the connection, and gives the lines. "." is the answer to the whole mail, "" the greeting.
    `said` has every command in order; `mails` every whole mail; `connections` counts."""

    def __init__(self, tls=None, **answers):
        self.tls = tls
        self.answers = {"": b"220 faulty ESMTP\r\n", "EHLO": b"250 faulty\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n",
                        "DATA": b"354 go on\r\n", ".": b"250 taken\r\n", "QUIT": b"221 bye\r\n"}
        self.answers |= {{"greeting": "", "dot": "."}.get(name, name): answer for name, answer in answers.items()}
        self.said, self.mails, self.connections = [], [], 0
        self.ended = threading.Event()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.listener.close()

    def url(self, scheme="smtp"):
        return f"{scheme}://localhost:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self._talk(connection)
        except OSError:
            pass

    def _talk(self, connection):
        self._answer(connection, "")
        lines = connection.makefile("rb")
        while line := lines.readline():
            verb = line.split()[0].decode("latin-1").upper() if line.split() else ""
            self.said.append(verb)
            if line.upper().startswith(b"AUTH PLAIN"):  # without an initial response
                connection.sendall(b"334 \r\n")
                lines.readline()
            self._answer(connection, verb)
            if verb == "DATA" and self.answers["DATA"].startswith(b"354"):
                mail = b""
                while (part := lines.readline()) not in (b".\r\n", b""):
                    mail += part
                if part:
                    self.mails.append(mail)
                    self._answer(connection, ".")
        self.ended.wait(600)  # it closes nothing itself

    def _answer(self, connection, verb):
        answer = self.answers.get(verb, b"250 ok\r\n")
        if callable(answer):
            answer = answer(self, connection)
        connection.sendall(answer)

    def after(self, delay_s, answer):
        time.sleep(delay_s)
        return answer
