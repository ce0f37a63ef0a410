"""Answers 200 on `/ready` at the address that cloudflared's `--metrics` names."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


host, port = sys.argv[sys.argv.index("--metrics") + 1].split(":")
ThreadingHTTPServer((host, int(port)), Ready).serve_forever()
