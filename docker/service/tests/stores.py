"""Real PostgreSQL, Redis, nginx and api, for tests and benchmarks: on free loopback ports, in a
directory that goes."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from obstore.store import S3Store

# initdb and postgres refuse to run as root.
_UNPRIVILEGED = "nobody" if os.geteuid() == 0 else None


def find_program(name: str) -> str | None:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next((str(path) for path in debian), None)


_SPAN = 1_200
_FIRST = 20_000 + _SPAN * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.count(random.randrange(_SPAN))


def free_port() -> int:
    """Below those that the kernel gives to connections, and of this process's own: nobody takes it
    between this look and its use."""
    while True:
        port = _FIRST + next(_ports) % _SPAN
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port


class Server:
    """A process that answers its probe, and can be killed and started again."""

    def __init__(
        self,
        arguments: list[str],
        port: int,
        log: Path,
        *,
        probe: list[str],
        user: str | None = None,
    ) -> None:
        self._arguments = arguments
        self._probe = probe
        self._user = user
        self._log = log
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, user=self._user
            )
        for _ in range(600):
            if self._process.poll() is not None:
                break
            if subprocess.run(self._probe, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._arguments[0]} did not start:\n{self._log.read_text()}")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL takes its children with it, as the loss of a node does."""
        assert self._process is not None
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.pid).children()
        self._process.send_signal(number)
        for child in children if number is signal.SIGKILL else []:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._process.wait()
        psutil.wait_procs(children)


@contextmanager
def postgres(directory: Path, *, connections: int = 100) -> Iterator[tuple[Server, str]]:
    """A server, and the URL of an empty database on it."""
    data = directory / "postgres"
    data.mkdir(parents=True)
    if _UNPRIVILEGED:
        shutil.chown(data, _UNPRIVILEGED)
    subprocess.run(
        [str(find_program("initdb")), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
        check=True,
        capture_output=True,
        user=_UNPRIVILEGED,
        cwd="/",
    )
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(connections),
    }
    arguments = [str(find_program("postgres")), "-D", str(data)]
    arguments += [f"--{name}={value}" for name, value in options.items()]
    probe = [str(find_program("pg_isready")), "--host=127.0.0.1", f"--port={port}"]
    log = directory / "postgres.log"
    server = Server(arguments, port, log, probe=probe, user=_UNPRIVILEGED)
    server.start()
    try:
        yield server, f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.kill(signal.SIGINT)


@contextmanager
def redis(directory: Path) -> Iterator[tuple[Server, str]]:
    """A server that keeps its data as production does, and its URL."""
    data = directory / "redis"
    data.mkdir(parents=True)
    port = free_port()
    arguments = [
        *(str(find_program("redis-server")), "--bind", "127.0.0.1", "--port", str(port)),
        *("--dir", str(data), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction"),
    ]
    probe = [str(find_program("redis-cli")), "-p", str(port), "ping"]
    server = Server(arguments, port, directory / "redis.log", probe=probe)
    server.start()
    try:
        yield server, f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()


@contextmanager
def versitygw(directory: Path) -> Iterator[S3Store]:
    """An S3 server with one bucket, and a client of it. Skips where no set-up has made the program
    (local/toolchain)."""
    cache = Path(os.environ.get("IMAGE_SERVICE_CACHE", Path.home() / ".cache/image-service"))
    program = shutil.which("versitygw") or next(cache.glob("toolchain/*/versitygw"), None)
    if program is None:
        pytest.skip("no versitygw")
    (directory / "buckets/theirs").mkdir(parents=True)
    port = free_port()
    key, secret = "client", "client-secret"
    arguments = ["env", f"ROOT_ACCESS_KEY={key}", f"ROOT_SECRET_KEY={secret}", str(program)]
    arguments += ["--quiet", "--port", f"127.0.0.1:{port}", "posix", str(directory / "buckets")]
    probe = ["curl", "--silent", f"http://127.0.0.1:{port}/"]
    server = Server(arguments, port, directory / "versitygw.log", probe=probe)
    server.start()
    try:
        yield S3Store(
            "theirs",
            endpoint=f"http://127.0.0.1:{port}",
            region="us-east-1",
            access_key_id=key,
            secret_access_key=secret,
            client_options={"allow_http": True},
        )
    finally:
        server.kill()


@contextmanager
def api(directory: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """A replica of the api that is ready, as a process of its own."""
    port = free_port()
    own = {"METRICS_PORT": str(free_port()), "PYTHONPATH": str(Path(__file__).parents[1])}
    arguments = ["env", *(f"{name}={value}" for name, value in {**environment, **own}.items())]
    arguments += [sys.executable, "-m", "uvicorn", "api:app", "--port", str(port)]
    probe = ["curl", "--silent", "--fail", f"http://127.0.0.1:{port}/readyz"]
    server = Server(arguments, port, directory / f"api-{port}.log", probe=probe)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def nginx(directory: Path, upstream: int) -> Iterator[str]:
    """The load balancer as production declares it, before one api on this port. Gives its URL."""
    golden = Path(__file__).parents[3] / "test/golden/prod/nginx-config.json"
    config = json.loads(golden.read_text())["inputs"]["data"]["nginx.conf"]
    with balancer(directory, upstream, "\n".join(config["lines"])) as ports:
        yield f"http://127.0.0.1:{ports[8080]}"


@contextmanager
def balancer(directory: Path, upstream: int, text: str) -> Iterator[dict[int, int]]:
    """A load balancer with this nginx.conf, before one api on this port.

    Certificates lie in `directory`/tls, the log is `directory`/nginx.log. Gives the port here of
    each declared one.
    """
    listen = re.compile(r"listen (?:127\.0\.0\.1:)?(\d+)\b(?!\.)")
    ports = {int(port): free_port() for port in listen.findall(text)}
    for pattern, here in (
        # Debian's nginx is older than `resolve` in an upstream.
        (r"server \S+:8000 resolve", f"server 127.0.0.1:{upstream}"),
        (r"resolver [^;]+;", ""),
        (r"/tmp/", f"{directory}/"),
    ):
        text, count = re.subn(pattern, here, text)
        assert count, f"nginx.conf has no {pattern}"
    text = text.replace("/etc/nginx/tls", f"{directory}/tls")
    text = listen.sub(lambda declared: f"listen 127.0.0.1:{ports[int(declared[1])]}", text)
    (directory / "nginx.conf").write_text(text)
    arguments = [str(find_program("nginx")), "-e", "stderr", "-c", str(directory / "nginx.conf")]
    probe = ["curl", "--silent", "--fail", f"http://127.0.0.1:{ports[8080]}/nginx-health"]
    log = directory / "nginx.log"
    server = Server([*arguments, "-g", "daemon off;"], ports[8080], log, probe=probe)
    server.start()
    try:
        yield ports
    finally:
        server.kill(signal.SIGTERM)
