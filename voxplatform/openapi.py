"""What the OpenAPI schema says beyond the views: how one signs in, and the probes, which are no
DRF views. Imported once at start; drf-spectacular finds the rest by itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

_PROBES = {
    "/livez": ("The process answers", "text/plain"),
    "/readyz": ("Requests are served well now, or why not", "application/json"),
    "/health": ("Version, engine and reasons", "application/json"),
    "/metrics": ("Numbers for Prometheus", "text/plain"),
    "/schema.json": ("This schema", "application/vnd.oai.openapi+json"),
    "/docs": ("This schema as a page", "text/html"),
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key, vox_…"}


class BrowserSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.BrowserSession"
    name = "BrowserSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        description = "A session of the admin, with X-CSRFToken where something is sent."
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": description,
        }


def canonical_only(endpoints: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """A preprocessing hook: each route once, though it answers under several forms of its URL."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[0].startswith(("/v1/", "/api/")) and not endpoint[0].endswith("/")
    ]


def add_probes(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A postprocessing hook: the public routes beside the API."""
    for path, (summary, media_type) in _PROBES.items():
        answers = {"200": {"description": summary, "content": {media_type: {}}}}
        if path == "/readyz":
            answers["503"] = {"description": "Not ready", "content": {media_type: {}}}
        result["paths"][path] = {
            "get": {
                "operationId": path.strip("/").split(".")[0],
                "summary": summary,
                "tags": ["platform"],
                "responses": answers,
            }
        }
    return result
