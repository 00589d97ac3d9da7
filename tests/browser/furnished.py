"""A platform that is lived in: somebody who has something of everything, an operator with rows of
every kind, and a key, a link or a number for each URL that wants one."""

from __future__ import annotations

import json
import time

from tests.live import manage

PASSWORD = "a password of mara's"
FURNISH = """
import json, random, time, uuid
from datetime import timedelta
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from accounts import teams
from accounts.audit import Actor
from accounts.models import Account, ApiKey, Invitation, Membership
from speech import usage
from speech.history import keep_of
from speech.models import EngineMeasurement, ModelDownload, Notice, SpeechModel, UsageRecord
from tests.voices.conftest import prepared
from voices.import_rows import ImportedFile, VoiceImport
from voices.models import Origin, Voice, VoiceConsent, VoiceReport

def session_of(user, account=None):
    session = SessionStore()
    lately = {"method": "password", "at": time.time() + 86_400, "reauthenticated": True}
    session.update({SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
                    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0], "account": account,
                    "account_authentication_methods": [lately],
                    "account_authentication_methods_user": str(user.pk)})
    session.save()
    return session.session_key

chance = random.Random(7)
root = User.objects.create_superuser("operator", "operator@example.com")
Account.objects.for_user(root)
nell = User.objects.create_user("nell", "nell@example.com")
otto = User.objects.create_user("otto", "otto@example.com")
by = Actor.of_user(nell)
account = teams.make_team("Harbour Radio", nell, by)
Account.objects.filter(pk=account.pk).update(
    monthly_characters=200_000, monthly_seconds=20_000, history="text")
account.refresh_from_db()
Membership.objects.create(user=otto, account=account, role="member")
mara = User.objects.create_user("mara", "mara@example.com", "PASSWORD")
Membership.objects.create(user=mara, account=account, role="member")
TOTP.activate(mara, generate_totp_secret())
RecoveryCodes.activate(mara)
others = Account.objects.for_user(otto)
invitation = Invitation.send(account.pk, "friend@example.com", "member", nell, by)
_, key = ApiKey.issue(account, "Reading app", created_by=nell, monthly_characters=50_000)
ApiKey.issue(account, "Newsletter", created_by=nell,
             expires_at=timezone.now() + timedelta(days=30))
_, gone = ApiKey.issue(account, "Old laptop", created_by=nell)
gone.revoke(by)
origin = Origin(by, user=nell)
for number in range(140):
    face = chance.choice(["openai", "native", "portal"])
    by_person = face == "portal"
    outcome = chance.choices(["completed", "client_closed", "server_failed"], [20, 2, 1])[0]
    text = "The harbour bridge opens again on Monday, two weeks earlier than planned. " * (
        chance.randint(1, 5))
    entry = usage.Entry(
        request_id=f"req_{uuid.uuid4().hex}", account_id=account.pk,
        user_id=nell.pk if by_person else None, key_id=None if by_person else key.pk,
        user_agent="openai-python/2.8", face=face, voice=chance.choice(["alloy", "nova"]),
        model="tts-1", model_used="espeak-ng", engine="espeak", response_format="mp3",
        stream_format="audio", characters=len(text), ceiling_ms=60_000, text_hash="0" * 64,
        settings={"speed": 1.25}, seed=chance.randrange(10**9),
        keep=keep_of(account, nell.pk, text, None) if by_person else None)
    record = usage.open_record(entry, uuid.uuid4().hex, timedelta(minutes=1))
    when = timezone.now() - timedelta(days=chance.triangular(0, 28, 4))
    UsageRecord.objects.filter(pk=record).update(created_at=when)
    usage.close_record(record, usage.Outcome(
        outcome, error_code="engine_failed" if outcome == "server_failed" else "",
        characters_charged=len(text), audio_ms=len(text) * 60,
        ttfa_ms=chance.choice([22, 27, 31, 70]), wall_ms=700.0))
consent = VoiceConsent.attest(account, "I am the owner of this voice.", origin)
for name, tags in {"Grandmother": ["warm", "slow"], "Newsroom": [], "Harbour pilot": []}.items():
    mine = Voice.clone(account, name, prepared(), consent, origin, language="en",
                       description="For bedtime stories", transcript="The quick brown fox.",
                       tags=tags)
broken = Voice.objects.get(name="Grandmother")
broken.samples.update(report={})
mine.rerecord(prepared(6.0), origin)
mine.change(by, visibility="public")
theirs = Voice.clone(others, "Otto reads", prepared(), None, origin,
                     statement="I am the owner of this voice.", description="Dry and quick")
theirs.share(by, [account])
VoiceConsent.record(account, prepared(), origin, name="Nell", language="en")
VoiceReport.file(mine, others, "This is my uncle, and he has not agreed.", by)
VoiceReport.objects.create(voice=theirs, account=account, reason="Is it a politician's?",
                           settled_at=timezone.now())
asked = VoiceImport.objects.create(account=account, archive_key="x", asked_by="operator")
for number, state in enumerate(("done", "failed", "waiting"), 1):
    ImportedFile.objects.create(
        of=asked, number=number, file=f"voices/reader-{number}.wav", name=f"Reader {number}",
        state=state, report="The recording is too short." if state == "failed" else "")
Notice.objects.create(text="The engine restarts at noon; takes that run are finished first.")
SpeechModel.objects.get_or_create(name="tts-1")
ModelDownload.objects.create(
    name="VoxCPM2", model="openbmb/VoxCPM2", hub="huggingface", state="failed", size=5 * 10**9,
    done=2 * 10**9, error="The connection broke.", started_by=root, started_at=timezone.now(),
    heard_at=timezone.now())
for clients in (1, 4, 8):
    EngineMeasurement.objects.create(
        engine="espeak", model="espeak-ng", clients=clients, requests=2 * clients,
        ttfa_p50_ms=21.0, ttfa_p95_ms=35.0, rtf=0.012, audio_per_second=80.0, measured_by=root)
Group.objects.create(name="Listeners")
print(json.dumps({
    "sessions": {"operator": session_of(root), "nell": session_of(nell, account.pk),
                 "mara": session_of(mara, account.pk)},
    "account": account.pk, "voice": mine.public_id, "theirs": theirs.public_id,
    "broken": broken.public_id,
    "key": key.public_id, "invitation": invitation.token}))
"""
BOOK = "\n\n".join(
    f"Chapter {number}\n\n" + "The pilot said nothing, and lit his lamp. " * 12
    for number in range(1, 4)
)


def furnish(data_dir):
    """Make the rows; returns the ids and the sessions of ``operator``, of ``nell``, who acts for
    the account that has everything, and of ``mara``, a member of it with a second factor."""
    rows = FURNISH.replace("PASSWORD", PASSWORD)
    told = json.loads(manage(data_dir, "shell", "-c", rows, timeout=120).splitlines()[-1])
    return told | {"too_many_fields": "a&" * 1001}


def sign_in_by_half(context):
    """As Mara, who is asked for her second factor and has not shown it."""
    page = context.new_page()
    page.goto("/account/login/")
    page.fill("[name=login]", "mara")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/account/2fa/authenticate/")
    page.close()


def speak(context, token):
    """Long texts in every state that lasts, by somebody's own requests; their ids by state."""

    def send(path, **body):
        answer = context.request.post(path, headers={"x-csrftoken": token}, data=body)
        assert answer.ok, answer.text()
        return answer.json()

    files = [{"format": "mp3"}, {"format": "m4b"}]
    jobs = {
        "completed": send("/api/jobs", input="A word.", title="A letter", outputs=files)["id"],
        "draft": send("/api/jobs", input=BOOK, title="The harbour", start=False)["id"],
        "cancelled": send("/api/jobs", input=BOOK, title="The second book")["id"],
    }
    send(f"/api/jobs/{jobs['cancelled']}/action", action="cancel")
    while context.request.get(f"/api/jobs/{jobs['completed']}").text().count('"ready"') < 2:
        time.sleep(0.1)
    return jobs
