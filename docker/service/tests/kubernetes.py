"""A stand-in for Kubernetes' API, as far as pods are told what their deletion costs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tasks.deletion_costs import ANNOTATION, Pods

TOKEN = "the account's token"
NAMESPACE = "image-service"


class Kubernetes:
    def __init__(self, pods: Pods) -> None:
        self.pods = pods
        self.there: set[str] | None = None
        """None: every pod is."""
        self.down = False
        self.patches: list[tuple[str, str]] = []
        """Pod and cost, as they came."""

    def cost(self, pod: str) -> int:
        """As Kubernetes reads it: what has none costs 0."""
        return int(dict(self.patches).get(pod, 0))


@contextmanager
def kubernetes(directory: Path) -> Iterator[Kubernetes]:
    """@param directory that gets the service account's files"""

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(self._take(body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _take(self, body: bytes) -> int:
            if it.down:
                return 503
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return 401
            if self.headers["Content-Type"] != "application/merge-patch+json":
                return 415
            head, pod, status = self.path.rsplit("/", 2)
            if (head, status) != (f"/api/v1/namespaces/{NAMESPACE}/pods", "status"):
                return 403
            if it.there is not None and pod not in it.there:
                return 404
            it.patches.append((pod, json.loads(body)["metadata"]["annotations"][ANNOTATION]))
            return 200

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    directory.mkdir(exist_ok=True)
    (directory / "namespace").write_text(NAMESPACE)
    (directory / "token").write_text(TOKEN)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it = Kubernetes(Pods(f"http://127.0.0.1:{server.server_port}", directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
