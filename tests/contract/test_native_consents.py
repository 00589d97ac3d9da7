"""Consents natively: with a key or in a browser, strict, and nobody else's."""

from __future__ import annotations

import pytest

from tests.voices.recordings import clip


@pytest.fixture
def dora(browse):
    return browse("dora")


def send(http, **fields):
    return http.post("/api/consents", data=fields, files={"recording": clip("wav", 9.0)})


def test_a_browser_gets_a_phrase_and_sends_it_read_aloud(dora):
    phrase = dora.get("/api/consents/phrase?language=en").json()
    answer = send(dora, name="Dora", language="en", phrase=phrase["id"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["phrase"] == phrase["text"]
    assert [consent["id"] for consent in dora.get("/api/consents").json()["data"]] == [
        answer.json()["id"]
    ]


def test_who_reads_slowly_agrees_as_well(dora):
    phrase = dora.get("/api/consents/phrase?language=en").json()["id"]
    form = {"name": "Dora", "language": "en", "phrase": phrase}
    answer = dora.post("/api/consents", data=form, files={"recording": clip("wav", 24.0)})
    assert answer.status_code == 200, answer.text
    dora.delete(f"/api/consents/{answer.json()['id']}")


def test_it_is_its_accounts_alone(server, keys, dora):
    made = send(dora, name="Dora's own", language="en").json()["id"]
    with server.http(keys["stranger"]) as stranger:
        assert made not in stranger.get("/api/consents").text


def test_a_browser_shows_renames_and_erases_its_own(dora):
    url = f"/api/consents/{send(dora, name='First', language='en').json()['id']}"
    assert dora.post(url, json={"name": "Second"}).json() == dora.get(url).json()
    assert dora.get(url).json()["name"] == "Second"
    assert dora.delete(url).json()["deleted"]
    assert dora.get(url).status_code == 404


def test_a_withdrawn_consent_stays_on_record_with_its_reason(dora):
    signed = "0123456789abcdef" * 4
    made = send(dora, name="Dora", language="en", document_sha256=signed.upper(),
                relationship="herself").json()  # fmt: skip
    assert (made["document_sha256"], made["relationship"]) == (signed, "herself")
    url = f"/api/consents/{made['id']}"
    for bad, param in (({"reason": "x" * 501}, "reason"), ({"why": "x"}, "why")):
        answer = dora.post(f"{url}/withdraw", json=bad)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    withdrawn = dora.post(f"{url}/withdraw", json={"reason": "I moved on."}).json()
    assert withdrawn == made | {"state": "withdrawn", "withdrawal_reason": "I moved on."}
    again = dora.post(f"{url}/withdraw", json={"reason": "Another."}).json()
    assert again == withdrawn == dora.get(url).json()
    answer = send(dora, name="Dora", language="en", document_sha256="abc")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "document_sha256")


def test_a_browser_without_its_token_changes_none(browse, dora):
    made = send(dora, name="Dora's own", language="en").json()["id"]
    forged = browse("dora", token="")
    assert send(forged, name="Forged", language="en").status_code == 403
    assert forged.delete(f"/api/consents/{made}").status_code == 403
    assert dora.get(f"/api/consents/{made}").status_code == 200


def test_an_unknown_field_is_an_error_here(dora):
    answer = send(dora, name="Extra", language="en", colour="red")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "colour")


def test_a_key_needs_its_scope(server, keys):
    with server.http(keys["without voices"]) as http:
        assert http.get("/api/consents").json()["error"]["code"] == "missing_scope"
