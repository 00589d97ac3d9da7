"""What a hub answers may be anything: it is read, or a sentence says that it is not understood."""

from __future__ import annotations

import json

import httpx
import pytest

from speech.hub.errors import FetchError
from speech.hub.hubs import HUBS

HUGE = "[" * 100_000


def answers(name, content):
    """The hub's listing of a model, where its API answers this."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=content))
    with httpx.Client(transport=transport) as client:
        return HUBS[name]("http://hub.example").files(client, "someone/model")


@pytest.mark.parametrize("name", HUBS)
@pytest.mark.parametrize("content", ["", "null", "5", HUGE, '{"a":' * 100_000])
def test_what_is_no_listing_is_said_to_be_no_hub(name, content):
    with pytest.raises(FetchError, match=r"^What answers at http://hub.example is not"):
        answers(name, content)


@pytest.mark.parametrize(
    "files",
    [5, [5], [None], ["a"], [{}], [{"rfilename": 5, "Path": 5, "size": 1, "Size": 1}]]
    + [[{"rfilename": "a", "Path": "a", "size": size, "Size": size}] for size in (None, "x")],
)
@pytest.mark.parametrize("name", HUBS)
def test_a_listing_of_something_else_is_not_understood(name, files):
    content = json.dumps({"siblings": files, "Data": {"Files": files}})
    with pytest.raises(FetchError, match="in a way that is not understood"):
        answers(name, content)


@pytest.mark.parametrize("name", HUBS)
def test_a_size_without_end_is_not_understood(name):
    entry = '{"rfilename": "a", "Path": "a", "size": 1e999, "Size": 1e999}'
    with pytest.raises(FetchError, match="in a way that is not understood"):
        answers(name, f'{{"siblings": [{entry}], "Data": {{"Files": [{entry}]}}}}')
