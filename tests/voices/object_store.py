"""An S3 storage on this machine: moto's server behind a door that may be shut or slow."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import threading
from datetime import UTC, datetime, timedelta
from functools import reduce
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "voices"
KEYS = {"access_key": "key", "secret_key": "secret"}
# What storages answer when they do not want to: status and S3's own code.
REFUSALS = {
    "slow down": (503, "SlowDown"),
    "wrong keys": (403, "InvalidAccessKeyId"),
    "skewed clock": (403, "RequestTimeTooSkewed"),
    "full": (507, "XMinioStorageFull"),
    "read-only": (403, "AccessDenied"),
    "broken": (500, "InternalError"),
}


def opens(path, host, secret="secret"):
    """Whether S3 takes the signature of a link: AWS's version 4, which moto does not look at."""
    place = urlsplit(path)
    query = dict(parse_qsl(place.query, keep_blank_values=True))
    signature = query.pop("X-Amz-Signature")
    began = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) > began + timedelta(seconds=int(query["X-Amz-Expires"])):
        return False
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    said = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query.items())
    words = "&".join(f"{name}={value}" for name, value in said)
    request = f"GET\n{place.path}\n{words}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}"
    parts = [*scope.split("/"), text]
    key = reduce(lambda key, part: hmac.digest(key, part.encode(), "sha256"), parts,
                 f"AWS4{secret}".encode())  # fmt: skip
    return hmac.compare_digest(key.hex(), signature)


class Threads(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients that lost patience have gone."""


class ObjectStore:
    """``fault`` is None or one of REFUSALS, "slow", "cut" or "down"."""

    def __init__(self):
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._moto.start()
        self.fault = None
        self.requests = []
        host, port = self._moto.get_host_and_port()
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )
        self.client.create_bucket(Bucket=BUCKET)
        self._stopping = threading.Event()
        self._door = Threads(("127.0.0.1", 0), self._make_door(port))
        threading.Thread(target=self._door.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._stopping.set()
        self._door.shutdown()
        self._door.server_close()
        self.client.close()
        self._moto.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._door.server_port}"

    def keys(self):
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [item["Key"] for item in found]

    def body(self, key):
        return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def empty(self):
        self.fault = None
        self.requests.clear()
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)

    def options(self, seconds=2.0):
        """An entry of STORAGES for it."""
        return {
            "BACKEND": "voices.s3.PrivateS3Storage",
            "OPTIONS": {
                "bucket_name": BUCKET,
                "endpoint_url": self.url,
                "region_name": "us-east-1",
                "seconds": seconds,
                "querystring_expire": 60,
                **KEYS,
            },
        }

    def _make_door(self, port):
        store = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                store.requests.append((self.command, self.path))
                if "X-Amz-Signature" in self.path and not opens(self.path, self.headers["host"]):
                    return self._refuse(403, "SignatureDoesNotMatch")
                if store.fault == "down":
                    self.close_connection = True
                    return self.connection.close()
                if store.fault == "slow":
                    store._stopping.wait(1)
                if store.fault in REFUSALS and (
                    store.fault not in ("full", "read-only") or self.command != "GET"
                ):
                    return self._refuse(*REFUSALS[store.fault])
                return self._relay(body, cut=store.fault == "cut" and self.command == "GET")

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

            def _relay(self, body, cut):
                inner = http.client.HTTPConnection("127.0.0.1", port)
                headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
                inner.request(self.command, self.path, body, headers)
                answer = inner.getresponse()
                content = answer.read()
                inner.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "server", "date", "transfer-encoding"):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if cut else content)
                if cut:
                    self.close_connection = True

            def _refuse(self, status, code):
                content = b""
                if self.command != "HEAD":
                    content = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
                self.send_response(status)
                self.send_header("content-type", "application/xml")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        return Door
