"""The official MCP client against a live server, bare messages, and the usage rows they leave."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import httpx
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

SESSION = "mcp-session-id"


@asynccontextmanager
async def client_of(server, key, era="auto"):
    """The SDK's client; ``era`` is how it begins: "legacy" shakes hands, "auto" does not."""
    headers = {"authorization": f"Bearer {key}"}
    # There is no TLS here, and reading the authorities takes longer than an answer does.
    async with httpx2.AsyncClient(headers=headers, timeout=30, verify=False) as http:
        transport = streamable_http_client(f"{server.url}/mcp", http_client=http)
        async with Client(transport, mode=era) as client:
            yield client


class Bare:
    """Messages as they are, of the older protocol with its sessions."""

    def __init__(self, server, key=None, **headers):
        self.http = server.http(key)
        self.http.headers.update({"accept": "application/json, text/event-stream"} | headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def post(self, message, **headers):
        return self.http.post("/mcp", json=message, headers=headers)

    def hang_up(self, message):
        """Send a message and leave at the first sign of an answer, or after a while without."""
        try:
            with self.http.stream("POST", "/mcp", json=message, timeout=0.4) as answer:
                assert answer.status_code == 200
        except httpx.ReadTimeout:
            pass

    def initialize(self):
        """The answer to the handshake; its session is used from here on."""
        client = {"name": "bare", "version": "1"}
        params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        answer = self.post(request("initialize", params))
        if SESSION in answer.headers:
            self.http.headers[SESSION] = answer.headers[SESSION]
            self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer


def request(method, params=None, id=1):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}


def speak(text, id=1, noted=False, **arguments):
    params = {"name": "speak", "arguments": {"text": text, **arguments}}
    if noted:
        params["_meta"] = {"progressToken": f"note-{id}"}
    return request("tools/call", params, id)


class Rows:
    """The usage rows of this face that came after this was made."""

    def __init__(self, data_dir):
        self.path = data_dir / "voxplatform.sqlite3"
        self.before = 0
        self.before = len(self.all())

    def all(self):
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            query = "SELECT * FROM speech_usagerecord WHERE face = 'mcp' ORDER BY id"
            return [dict(row) for row in database.execute(query)][self.before :]

    async def when(self, condition, what):
        for _ in range(400):
            if condition(rows := self.all()):
                return rows
            await asyncio.sleep(0.05)
        raise AssertionError(f"not {what}: {rows}")

    async def begun(self):
        return await self.when(bool, "begun")

    async def settled(self, count=1):
        def all_settled(rows):
            return len(rows) == count and all(row["outcome"] != "open" for row in rows)

        return await self.when(all_settled, "settled")
