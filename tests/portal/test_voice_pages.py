"""Pages of voices: what is one's own is changed there, and what is somebody else's is not there."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection

from accounts.audit import Actor
from accounts.models import Account
from tests.forms import send
from tests.portal.conftest import browser_of
from voices.exceptions import ConsentRequired
from voices.models import Voice, VoiceConsent
from voices.resolving import resolve

ACTIONS = ["share/", "withdraw/", "erase/", "report/", "versions/1/restore/"]


@pytest.fixture
def page(voice):
    return f"/voices/{voice.public_id}/"


def about(**changed):
    return {"name": "Reader", "description": "", "language": "", "tags": "", **changed}


def test_it_shows_the_check_in_words_and_the_versions(at_alice, page):
    shown = at_alice.get(page)
    assert shown.status_code == 200
    titles = [line.title for line in shown.context["lines"]]
    assert titles == ["Speech", "Noise", "Level", "Clipping", "Bandwidth"]
    assert {line.verdict for line in shown.context["lines"]} <= {"good", "warn", "bad"}
    assert b"Version 1" in shown.content


def test_it_is_renamed(at_alice, page, voice):
    changes = about(name="Evening reader", language="en-gb", tags="calm, dry , calm")
    assert send(at_alice, page, changes).status_code == 302
    voice.refresh_from_db()
    assert (voice.name, voice.language, voice.tags) == ("Evening reader", "en-GB", ["calm", "dry"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "alloy"}, "name"),
        ({"name": "Taken"}, "name"),
        ({"language": "no language"}, "language"),
        ({"tags": "x" * 41}, "tags"),
        ({"description": "x" * 501}, "description"),
    ],
)
def test_what_may_not_be_is_said_at_its_field(at_alice, page, voice, make_voice, changed, field):
    make_voice("Taken")
    shown = send(at_alice, page, about(**changed))
    assert shown.status_code == 200
    assert list(shown.context["form"].errors) == [field]
    voice.refresh_from_db()
    assert voice.name == "Alice reads"


def test_it_is_shared_by_name_and_taken_back(at_alice, charlie, page, voice):
    from accounts.models import Account

    Account.objects.for_user(charlie)
    at_charlie = browser_of(charlie)
    assert at_charlie.get(page).status_code == 404
    send(at_alice, page, {"visibility": "shared", "accounts": "charlie"}, f"{page}share/")
    shown = at_charlie.get(page)
    assert (shown.status_code, "portal/voices/others.html") == (200, shown.templates[0].name)
    send(at_alice, page, {"visibility": "private", "accounts": "charlie"}, f"{page}share/")
    assert at_charlie.get(page).status_code == 404
    send(at_alice, page, {"visibility": "public", "accounts": ""}, f"{page}share/")
    assert at_charlie.get(page).status_code == 200


def test_who_may_speak_with_it_changes_at_once_or_not_at_all(at_alice, charlie, page, voice):
    from accounts.models import Account

    Account.objects.for_user(charlie)
    send(at_alice, page, {"visibility": "shared", "accounts": "charlie"}, f"{page}share/")
    with connection.cursor() as cursor:  # the log has no room for the second of two entries
        cursor.execute(
            "CREATE TRIGGER full BEFORE INSERT ON accounts_auditentry"
            " WHEN NEW.action = 'voice.change' BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(DatabaseError):
        send(at_alice, page, {"visibility": "public", "accounts": ""}, f"{page}share/")
    voice.refresh_from_db()
    assert voice.visibility == "shared"
    assert [one.name for one in voice.shared_with.all()] == ["charlie"]


def test_nobody_is_nobody_to_share_with(at_alice, page, voice):
    send(at_alice, page, {"visibility": "shared", "accounts": "nobody"}, f"{page}share/")
    voice.refresh_from_db()
    assert voice.visibility == "private"


def test_an_older_version_speaks_again(at_alice, page, voice, sample, origin):
    voice.rerecord(sample, origin)
    at_alice.post(f"{page}versions/1/restore/")
    voice.refresh_from_db()
    assert voice.version == 1
    assert at_alice.post(f"{page}versions/9/restore/").status_code == 404


def test_every_version_can_be_listened_to(at_alice, page, voice, sample, origin):
    voice.rerecord(sample, origin)
    shown = at_alice.get(page).content.decode()
    for version in (1, 2):
        path = f"/api/voices/{voice.public_id}/versions/{version}/recording"
        assert f'src="{path}"' in shown


def test_its_consent_is_withdrawn_and_nobody_speaks_with_it(at_alice, page, voice, account):
    offer = f'action="{page}withdraw/"'
    assert offer in at_alice.get(page).content.decode()
    too_long = at_alice.post(f"{page}withdraw/", {"reason": "x" * 501}, follow=True)
    assert "at most 500" in too_long.content.decode()
    assert resolve(voice.public_id, account)
    answer = at_alice.post(f"{page}withdraw/", {"reason": "She has changed her mind."})
    assert answer.status_code == 302
    assert VoiceConsent.objects.get().withdrawal_reason == "She has changed her mind."
    with pytest.raises(ConsentRequired):
        resolve(voice.public_id, account)
    assert offer not in at_alice.get(page).content.decode()
    assert at_alice.post(f"{page}withdraw/").status_code == 404


def test_a_consent_that_another_account_was_given_is_not_withdrawn(at_alice, page, voice, charlie):
    VoiceConsent.objects.update(account=Account.objects.for_user(charlie))
    assert "withdraw/" not in at_alice.get(page).content.decode()
    assert at_alice.post(f"{page}withdraw/").status_code == 404
    assert VoiceConsent.objects.get().state == "active"


def test_it_is_erased_for_good(at_alice, page, voice):
    assert at_alice.post(f"{page}erase/").status_code == 302
    assert at_alice.get(page).status_code == 404
    voice.refresh_from_db()
    assert voice.state == "erased"


def test_a_look_changes_nothing(at_alice, page, voice):
    for action in ("share/", "withdraw/", "erase/", "versions/1/restore/"):
        assert at_alice.get(page + action).status_code == 405
    voice.refresh_from_db()
    assert voice.state == "ready"


def test_who_is_not_signed_in_is_asked_to(client, page):
    for path in ("/studio/", "/voices/", "/voices/new/", page):
        assert client.get(path).url.startswith("/account/login/")


def test_a_strangers_voice_is_not_there(at_charlie, page, voice):
    assert at_charlie.get(page).status_code == 404
    for action in ACTIONS:
        assert at_charlie.post(page + action, {"reason": "It is mine."}).status_code == 404
    assert at_charlie.get(f"{page}record/").status_code == 404
    assert voice.name.encode() not in at_charlie.get("/voices/").content
    assert voice.public_id.encode() not in at_charlie.get("/studio/").content


def test_a_public_voice_is_reported_and_not_changed_by_others(at_alice, at_charlie, page, voice):
    send(at_alice, page, {"visibility": "public", "accounts": ""}, f"{page}share/")
    at_charlie.post(page, about(name="Mine now"))
    for action in ("share/", "erase/", "versions/1/restore/"):
        assert at_charlie.post(page + action).status_code == 404
    at_charlie.post(f"{page}report/", {"reason": "This is my own voice."})
    voice.refresh_from_db()
    assert (voice.name, voice.visibility) == ("Alice reads", "public")
    assert voice.reports.get().reason == "This is my own voice."


def test_a_member_sees_the_voices_of_the_account_they_act_for(at_bob, account, page):
    assert at_bob.get(page).status_code == 404
    at_bob.post("/account/choose/", {"account": account.pk})
    assert at_bob.get(page).status_code == 200


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=STORYTELLER", ["Ballad"]),
        ("q=alice", ["Alice reads"]),
        ("group=own", ["Alice reads"]),
        ("group=shared", []),
        ("group=built-in&q=female", ["Coral", "Marin", "Nova", "Sage", "Shimmer"]),
        ("group=nonsense&q=%00", []),
    ],
)
def test_the_list_is_searched_and_filtered(at_alice, voice, query, names):
    page = at_alice.get(f"/voices/?{query}")
    assert [voice["name"] for voice in page.context["page"]] == names


@pytest.mark.parametrize("page", ["-1", "0", "1e9", "NaN", "9" * 30, "²", ""])
def test_a_page_that_is_none_is_the_first_or_the_last(at_alice, page):
    answer = at_alice.get("/voices/", {"page": page, "q": "a" * 10_240, "order_by": "account"})
    assert answer.status_code == 200
    assert at_alice.get("/voices/", {"page": page}).context["page"].object_list


def test_a_disabled_built_in_voice_is_offered_nowhere(at_alice):
    Voice.objects.get(public_id="alloy").set_state(Actor("user", "clerk"), "disabled")
    for url in ("/voices/", "/studio/", "/jobs/new/"):
        page = at_alice.get(url).content.decode()
        assert "Nova" in page, url
        assert "Alloy" not in page, url
    assert at_alice.get("/voices/alloy/").status_code == 404


def test_a_built_in_voice_is_shown_and_no_account_changes_it(at_alice):
    assert "Alloy" in at_alice.get("/voices/alloy/").content.decode()
    form = {"name": "Mine", "visibility": "private", "accounts": ""}
    for verb in ("share", "versions/1/restore", "erase", "record"):
        assert at_alice.post(f"/voices/alloy/{verb}/", form).status_code in (404, 405), verb
    at_alice.post("/voices/alloy/", form)
    alloy = Voice.objects.get(public_id="alloy")
    assert (alloy.name, alloy.state, alloy.visibility) == ("Alloy", "ready", "public")


def test_the_studio_offers_what_speaks_and_no_more(at_alice, voice, make_voice):
    from accounts.audit import SYSTEM

    make_voice("Switched off").set_state(SYSTEM, "disabled")
    names = [voice["name"] for voice in at_alice.get("/studio/").context["voices"]]
    assert names[0] == "Alice reads"
    assert len(names) == 14
