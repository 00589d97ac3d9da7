"""The OpenAPI schema describes every route, with its errors, and is served as it was made."""

from __future__ import annotations

import re

from drf_spectacular.generators import SchemaGenerator

from speech.urls import canonical
from voxplatform import __version__

DESCRIBED = SchemaGenerator().get_schema(public=True)


def test_every_route_of_the_api_is_in_it():
    routes = {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)) for pattern in canonical}
    # MCP's messages describe themselves, by tools/list, and its links need no description.
    assert routes - {"/mcp", "/mcp/audio/{token}"} <= set(DESCRIBED["paths"])


def test_it_says_whose_it_is_and_how_to_sign_in():
    assert DESCRIBED["info"]["title"] == "VoxPlatform"
    assert DESCRIBED["info"]["version"] == __version__
    scheme = DESCRIBED["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_route_tells_its_errors_and_names_its_requests():
    for path, operations in DESCRIBED["paths"].items():
        if not path.startswith(("/v1/", "/api/")):
            continue
        for operation in operations.values():
            answers = operation["responses"]
            assert {"200", "400", "401", "403", "429", "500", "503"} <= set(answers), path
            for status, answer in answers.items():
                assert "x-request-id" in answer["headers"]
                # A range that is not there is told as HTTP tells it, without a body.
                if status >= "400" and status != "416":
                    shape = answer["content"]["application/json"]["schema"]["$ref"]
                    assert shape.endswith("/ErrorResponse")


def test_it_is_served_as_it_was_made(server):
    with server.http() as http:
        served = http.get("/schema.json").json()
    assert served["paths"].keys() == DESCRIBED["paths"].keys()
    assert served["components"]["schemas"] == DESCRIBED["components"]["schemas"]
