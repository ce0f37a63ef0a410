"""AWS's own names, for programs that know no others: a proxy that leads them to what stands in."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.aws import REGION, STS, Account, Giver


class _Proxy(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, account: Account, giver: Giver) -> None:
        super().__init__(("127.0.0.1", 0), _Connect)
        self.account, self.giver = account, giver
        self.s3 = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        account.ca.issue_cert(f"*.s3.{REGION}.amazonaws.com").configure_cert(self.s3)


class _Connect(StreamRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        host = self.rfile.readline().split()[1].decode().partition(":")[0]
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        if host == STS:
            self._join(self.connection, self.server.giver.server_port)
            return
        with (
            suppress(OSError),
            self.server.s3.wrap_socket(self.connection, server_side=True) as tls,
        ):
            self._join(tls, urlsplit(self.server.account.endpoint).port or 0)

    def _join(self, client: socket.socket, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            back = Thread(target=_pump, args=(upstream, client), daemon=True)
            back.start()
            _pump(client, upstream)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def answering(account: Account, giver: Giver) -> Iterator[dict[str, str]]:
    """The environment in which those names are answered here."""
    with _Proxy(account, giver) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_address[1]}"}
        proxy.shutdown()
