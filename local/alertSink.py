"""A webhook of Alertmanager's that says each notification as one line, for `npm run local -- alerts`."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        # Alertmanager's JSON has no line breaks.
        print(self.rfile.read(int(self.headers["Content-Length"])).decode().strip(), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("", 443), Sink).serve_forever()
