"""The OpenAPI schema is true: what it promises is what a live server answers, whatever
schemathesis makes of it."""

from __future__ import annotations

import pytest
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings, strategies

from tests.choosing import RUN_SLOW

if not RUN_SLOW:  # what it imports takes longer than many tests
    pytest.skip("slow: runs with SLOW=1", allow_module_level=True)
import schemathesis
from schemathesis import GenerationMode, checks

schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
few = settings(
    max_examples=100,
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
