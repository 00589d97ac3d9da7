"""The official SDK's server and its sessions.

A session belongs to the key that began it and to this process. Knows no tool by name.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

from speech.api.mcp import EXCHANGE, Exchange
from speech.api.mcp_door import Application, Receive, Send
from speech.api.mcp_tools import TOOLS, call, client_has_left

# A session that nobody has used for so long is forgotten; its client begins another.
IDLE_SECONDS = 30 * 60


async def _list_tools(
    context: ServerRequestContext[Any], params: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=TOOLS)


async def _call_tool(
    context: ServerRequestContext[Any], params: CallToolRequestParams
) -> CallToolResult:
    exchange: Exchange = context.request.scope[EXCHANGE]  # type: ignore[union-attr]
    result = client_has_left()
    with exchange.while_the_client_stays():
        report = context.session.report_progress
        result = await call(params.name, params.arguments or {}, exchange, report)
    return result


@asynccontextmanager
async def sessions() -> AsyncGenerator[Application]:
    """What answers; at the end every session is closed."""
    server = Server(
        "VoxPlatform",
        version=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
        instructions="Text to speech. Call speak with a text; list_voices tells the voices.",
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
    )
    manager = StreamableHTTPSessionManager(
        server,
        session_idle_timeout=IDLE_SECONDS,
        max_sessions=settings.MCP_SESSIONS,
        # Django has capped it already; the SDK's own limit must not be a second one.
        max_request_body_size=settings.MAX_BODY_BYTES,
    )
    async with manager.run():
        yield _owned(manager.handle_request)


def _owned(application: Application) -> Application:
    """Sessions bound to keys: with another key a session is one that does not exist."""

    async def enter(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        key = scope[EXCHANGE].caller.key
        owner = AuthenticatedUser(AccessToken(token="", client_id=str(key.pk), scopes=[]))
        await application({**scope, "user": owner}, receive, send)

    return enter
