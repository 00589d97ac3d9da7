"""The OpenAPI schema is true: what it promises is what a live server answers, whatever
schemathesis makes of it."""

from __future__ import annotations

import os
import re

import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import GenerationMode, checks

from speech.urls import canonical
from voxplatform import __version__

DESCRIBED = SchemaGenerator().get_schema(public=True)
schema = schemathesis.openapi.from_dict(DESCRIBED)
SLOW = os.environ.get("SLOW") == "1"
few = settings(
    max_examples=100 if SLOW else 8,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
# The schema cannot say which voices and models there are, nor that a browser's cookie is one of
# two ways to sign in; what it says of both is held by the tests of access.
SPEECH = strategies.one_of(
    schema[path]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE)
    for path in ("/v1/audio/speech", "/api/speech")
)
UNSAID = [checks.positive_data_acceptance, checks.ignored_auth]
# OpenAI's face ignores what it does not know, in a query as in a body; schemathesis takes every
# unknown name in a query for wrong. Wrong values of known names have tests of their own.
QUERIED = [*UNSAID, checks.negative_data_rejection]


@schema.include(path_regex="^/(v1|api)/").parametrize()
@few
def test_what_it_promises_is_what_is_answered(case, closed_server, keys):
    case.call_and_validate(
        base_url=closed_server.url,
        headers={"authorization": f"Bearer {keys['good']}"},
        excluded_checks=QUERIED if case.path.startswith("/v1/") and case.query else UNSAID,
    )


@given(case=SPEECH)
@few
def test_speech_takes_every_setting_it_describes(case, closed_server, keys):
    real = {"model": "tts-1-hd", "voice": "alloy", "input": "Good evening.", "language": None}
    # Words belong to a recording, and what is a recording no schema can say.
    own = dict.fromkeys(("ref_audio", "ref_text", "consent"))
    case.body = {**case.body, **real, **own, "response_format": "wav"}
    headers = {"authorization": f"Bearer {keys['good']}"}
    answer = case.call_and_validate(
        base_url=closed_server.url, headers=headers, excluded_checks=UNSAID
    )
    assert answer.status_code == 200, (case.body, answer.text)


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
