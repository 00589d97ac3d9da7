"""Both hubs' HTTP API on a free port of this machine, with faults: what their clients talk to.

Hugging Face sends a file by way of a redirect to another address, ModelScope at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LFS = (".safetensors", ".bin", ".pth")


def git_blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class HubServer:
    """``models`` maps owner/name to a directory. Use it in a ``with`` block."""

    def __init__(self):
        self.models = {}
        self.requests = []  # (path, Range header or None, Authorization header or None)
        self.cuts = {}  # file name -> after how many bytes each connection breaks, in turn
        self.wrong = set()  # file names whose last byte is another one than the hub states
        self.without_digest = set()  # file names for which no checksum is stated
        self.statuses = []  # what the next requests for files are answered with instead
        self.ranges = True
        self.token = None
        self.hold_after = None  # bytes after which every file stops until `go_on` is set
        self.held, self.go_on = threading.Event(), threading.Event()

    def __enter__(self):
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                hub.answer(self)

            do_HEAD = do_GET

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def asked(self, name):
        """The Range headers with which the content of this file was asked for."""
        return [
            range_
            for path, range_, _ in self.requests
            if path.endswith(name) and "/resolve/" not in path
        ]

    def answer(self, request):
        url = urlsplit(request.path)
        path, query = unquote(url.path), parse_qs(url.query)
        authorization = request.headers.get("authorization")
        if request.command == "GET" and not path.endswith("/repo"):
            self.requests.append((path, request.headers.get("range"), authorization))
        if self.token and authorization != f"Bearer {self.token}" and not path.startswith("/cdn/"):
            return send_json(request, 401, {"error": "Repository not found"})
        if found := re.fullmatch(r"/api/models/(.+?/.+?)(/revision/.+)?", path):
            return self.huggingface_listing(request, found[1])
        if found := re.fullmatch(r"/api/v1/models/(.+?/.+?)/repo/files", path):
            return self.modelscope_listing(request, found[1])
        if found := re.fullmatch(r"/api/v1/models/(.+?/.+?)/repo", path):
            name = query["FilePath"][0]
            self.requests.append((f"{path}/{name}", request.headers.get("range"), authorization))
            return self.send_file(request, found[1], name)
        if found := re.fullmatch(r"/(?!cdn/)(.+?/.+?)/resolve/.+?/(.+)", path):
            return self.redirect(request, found[1], found[2])
        if found := re.fullmatch(r"/cdn/(.+?/.+?)/(.+)", path):
            return self.send_file(request, found[1], found[2])
        return send_json(request, 404, {"error": "Not found"})

    def contents(self, model):
        return {path.name: path.read_bytes() for path in sorted(self.models[model].iterdir())}

    def huggingface_listing(self, request, model):
        if model not in self.models:
            return send_json(request, 401, {"error": "Repository not found"})
        siblings = []
        for name, content in self.contents(model).items():
            entry = {"rfilename": name, "size": len(content), "blobId": git_blob(content)}
            if name.endswith(LFS):
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            if name in self.without_digest:
                entry |= {"blobId": None, "lfs": None}
            siblings.append(entry)
        return send_json(request, 200, {"id": model, "sha": COMMIT, "siblings": siblings})

    def modelscope_listing(self, request, model):
        if model not in self.models:
            answer = {"Code": 10010205001, "Success": False, "Message": "record not found"}
            return send_json(request, 404, answer)
        files = [{"Name": "assets", "Path": "assets", "Type": "tree", "Size": 0, "Sha256": ""}]
        for name, content in self.contents(model).items():
            sha256 = hashlib.sha256(content).hexdigest()
            sha256 = "" if name in self.without_digest else sha256
            about = {"Size": len(content), "Sha256": sha256, "IsLFS": name.endswith(LFS)}
            files.append({"Name": name, "Path": name, "Type": "blob", "Revision": COMMIT, **about})
        return send_json(request, 200, {"Code": 200, "Success": True, "Data": {"Files": files}})

    def redirect(self, request, model, name):
        content = self.contents(model)[name]
        digest = hashlib.sha256(content).hexdigest() if name.endswith(LFS) else git_blob(content)
        request.send_response(302)
        request.send_header(
            "location", f"http://localhost:{self.http.server_port}/cdn/{model}/{name}"
        )
        request.send_header("x-repo-commit", COMMIT)
        request.send_header("x-linked-etag", f'"{digest}"')
        request.send_header("x-linked-size", str(len(content)))
        request.send_header("content-length", "0")
        request.end_headers()

    def send_file(self, request, model, name):
        if self.statuses:
            return send_json(request, self.statuses.pop(0), {"error": "not now"})
        content = self.contents(model)[name]
        if name in self.wrong:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = self.start_of(request)
        if start >= len(content) > 0:
            return send_json(request, 416, {"error": "nothing there"})
        request.send_response(206 if start else 200)
        request.send_header("content-length", str(len(content) - start))
        if start:
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            request.send_header("content-range", span)
        request.end_headers()
        if request.command == "GET":
            self.send_body(request, name, content[start:])

    def start_of(self, request):
        asked = re.match(r"bytes=(\d+)-", request.headers.get("range") or "")
        return int(asked[1]) if asked and self.ranges else 0

    def send_body(self, request, name, body):
        if self.hold_after is not None and len(body) > self.hold_after:
            request.wfile.write(body[: self.hold_after])
            self.held.set()
            self.go_on.wait(30)
            body = body[self.hold_after :]
        cut = self.cuts.get(name)
        with contextlib.suppress(OSError):  # the client may leave
            request.wfile.write(body[: cut.pop(0)] if cut else body)
        if cut is not None and name in self.cuts:
            request.close_connection = True
            if not cut:
                del self.cuts[name]


def send_json(request, status, content):
    body = json.dumps(content).encode()
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    if request.command == "GET":
        request.wfile.write(body)
