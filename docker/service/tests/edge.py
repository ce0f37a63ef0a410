"""nginx with any configuration that the program renders, before an upstream that repeats it all."""

import http.client
import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from tests import stores

HOST = "images.example"


def render(**args: object) -> str:
    """nginx.conf with these of NginxConfArgs; the others are of a stack without Cloudflare."""
    whole = {
        "upstream": "api",
        "resolver": "127.0.0.1",
        "maxBody": "512k",
        "maxInput": 10,
        "maxWaitSeconds": 90,
        "corsOrigins": [],
        "proxies": [],
        "clientHeader": "X-Forwarded-For",
        "proxyProtocol": False,
        "tls": "none",
    } | args
    program = (
        "const { renderNginxConf } = require('./components/edge/nginxConf');"
        "process.stdout.write(renderNginxConf(JSON.parse(process.argv[1])));"
    )
    return subprocess.run(
        ["node", "--require", "tsx/cjs", "-e", program, json.dumps(whole)],
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


class _Mirror(BaseHTTPRequestHandler):
    """Answers with the headers that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def mirror() -> Iterator[int]:
    """Gives the port of an upstream that answers with the headers that it got."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@dataclass
class Edge:
    """A running nginx."""

    directory: Path
    ports: dict[int, int]

    @property
    def log(self) -> str:
        return (self.directory / "nginx.log").read_text()

    def logged(self, request_id: str) -> dict[str, str]:
        """What the log has of a request; nginx writes it after the answer."""
        pattern = re.compile(rf'^\{{.*"request_id":"{request_id}".*\}}$', re.MULTILINE)
        for _ in range(1000):
            if line := pattern.search(self.log):
                entry: dict[str, str] = json.loads(line[0])
                return entry
            time.sleep(0.01)
        raise AssertionError(f"the log has no {request_id}:\n{self.log}")


@contextmanager
def edge(directory: Path, upstream: int, **args: object) -> Iterator[Edge]:
    """nginx as `render` configures it; the certificates of `certify` are its own."""
    directory.mkdir()
    certify(directory / "tls", "first")
    with stores.balancer(directory, upstream, render(**args)) as ports:
        yield Edge(directory, ports)
    shutil.rmtree(directory)


def certify(volume: Path, version: str) -> None:
    """Puts a new certificate into the volume of a Secret, as the kubelet does: all files at once.

    https://github.com/kubernetes/kubernetes/blob/v1.37.0/pkg/volume/util/atomic_writer.go
    """
    files = volume / f"..{version}"
    files.mkdir(parents=True)
    key, certificate = files / "tls.key", files / "tls.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={version}",
                "-addext",
                f"subjectAltName=DNS:{HOST}",
            ),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    shutil.copy(certificate, files / "ca.crt")
    key.chmod(0o644)  # for nginx's workers
    link = volume / "..data_tmp"
    link.symlink_to(files.name)
    link.rename(volume / "..data")
    for name in ("tls.key", "tls.crt", "ca.crt"):
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")


def trusting(edge: Edge, *, own: bool = False) -> ssl.SSLContext:
    """TLS that trusts the edge's certificate alone; `own`: and shows one that the edge trusts."""
    volume = edge.directory / "tls"
    context = ssl.create_default_context(cafile=str(volume / "tls.crt"))
    if own:
        context.load_cert_chain(volume / "tls.crt", volume / "tls.key")
    return context


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def told(self) -> dict[str, str]:
        """Headers that the mirror got."""
        assert self.status == 200, (self.status, self.content)
        headers: dict[str, str] = json.loads(self.content)
        return headers


def ask(
    port: int,
    path: str = "/",
    *,
    method: str = "GET",
    body: object = None,
    source: str = "127.0.0.1",
    first: bytes = b"",
    tls: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request on a new connection from `source`, which begins with the bytes of `first`."""
    address = ("127.0.0.1", port)
    with socket.create_connection(address, timeout=10, source_address=(source, 0)) as plain:
        plain.sendall(first)
        stream = tls.wrap_socket(plain, server_hostname=HOST) if tls else plain
        connection = http.client.HTTPConnection(HOST)
        connection.sock = stream
        if body is None:
            connection.request(method, path, headers=headers or {})
        else:
            json_headers = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), (headers or {}) | json_headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        stream.close()
        return answer


# https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxy_v1(client: str) -> bytes:
    server = "198.51.100.1" if ip_address(client).version == 4 else "2001:db8::1"
    family = f"TCP{ip_address(client).version}"
    return f"PROXY {family} {client} {server} 40000 443\r\n".encode()


def proxy_v2(client: str) -> bytes:
    address = ip_address(client)
    server = ip_address("198.51.100.1" if address.version == 4 else "2001:db8::1")
    block = address.packed + server.packed + struct.pack("!HH", 40000, 443)
    family = 0x11 if address.version == 4 else 0x21
    return _SIGNATURE + struct.pack("!BBH", 0x21, family, len(block)) + block


def nlb_health_check() -> bytes:
    """Byte for byte: https://github.com/kubernetes/kubernetes/issues/57250#issuecomment-475385166"""
    block = bytes.fromhex("030004bce5951f04004a") + bytes(74)
    return _SIGNATURE + struct.pack("!BBH", 0x20, 0x11, len(block)) + block
