"""Keeps the bodies of OTLP/HTTP requests as they came: `sink.py FOLDER` prints its port, then writes NAME.pb or NAME.json.

`POST /NAME` keeps a body under that name; a second one for the same name is `NAME-2`, and so on.
"""

import gzip
import http.server
import pathlib
import sys

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
seen = {}


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.read_chunks() if "content-length" not in self.headers else self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        name = self.path.strip("/")
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{name}-{seen[name]}"
        kind = "json" if "json" in self.headers["content-type"] else "pb"
        (FOLDER / f"{name}.{kind}").write_bytes(body)
        self.send_response(200)
        self.send_header("content-type", self.headers["content-type"])
        self.send_header("content-length", "0" if kind == "pb" else "2")
        self.end_headers()
        self.wfile.write(b"" if kind == "pb" else b"{}")

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
