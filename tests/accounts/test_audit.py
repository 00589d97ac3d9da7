"""The audit log tells who changed what, keeps what it told, and shows when somebody altered it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.audit import Actor, record
from accounts.models import Account, ApiKey, AuditEntry, AuditHead

ACTOR = Actor("user", "alice", 1, address="192.0.2.7", request_id="req_1")


@pytest.fixture
def entries(account):
    """Three, about Alice's account."""
    for number in range(3):
        record("account.change", ACTOR, account, account, {"monthly_seconds": [number, number + 1]})
    return list(AuditEntry.objects.order_by("number"))


def verify(capsys, *arguments):
    call_command("verifyaudit", *arguments)
    return capsys.readouterr().out.split()


def tamper(statement, *values):
    """As somebody with a shell on the database does."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1


def test_an_entry_tells_who_did_what_to_whom_and_from_where(entries, account):
    entry = entries[2]
    assert (entry.action, entry.actor_kind, entry.actor_name) == ("account.change", "user", "alice")
    assert (entry.address, entry.request_id) == ("192.0.2.7", "req_1")
    assert (entry.target_type, entry.target_id) == ("accounts.account", str(account.pk))
    assert entry.account_id == account.pk
    assert json.loads(entry.details) == {"monthly_seconds": [2, 3]}


def test_each_entry_is_sealed_over_the_one_before(entries):
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]


def test_an_entry_goes_with_the_change_it_tells_of(account):
    with transaction.atomic():
        record("account.change", ACTOR, account)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    record("account.change", ACTOR, account)
    assert AuditEntry.objects.get().number == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_not_written_outside_a_transaction():
    with pytest.raises(AssertionError):
        record("account.change", ACTOR, Account.objects.default())


def test_it_is_only_added_to(entries):
    first = entries[0]
    for forbidden in (
        first.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor_name="somebody else"),
        lambda: AuditEntry.objects.bulk_update([first], ["actor_name"]),
        lambda: AuditEntry.objects.bulk_create([first]),
    ):
        with pytest.raises(TypeError):
            forbidden()


def test_an_entry_is_not_saved_over(entries):
    entries[0].actor_name = "somebody else"
    with pytest.raises(IntegrityError), transaction.atomic():
        entries[0].save()


def test_an_untouched_log_is_found_whole(entries, capsys):
    assert verify(capsys) == ["3", entries[-1].digest]


def test_an_empty_log_is_whole(db, capsys):
    assert verify(capsys) == ["0", "0" * 64]


def flipped(text):
    return chr(ord(text[0]) ^ 1) + text[1:]


@pytest.mark.parametrize(
    "column",
    [field.name for field in AuditEntry._meta.concrete_fields if field.name != "created_at"],
)
def test_a_flipped_bit_is_found(entries, column):
    value = getattr(entries[1], column)
    other = flipped(value) if isinstance(value, str) else value ^ (64 if column == "number" else 1)
    tamper(f"UPDATE accounts_auditentry SET {column} = %s WHERE number = 2", other)
    with pytest.raises(CommandError, match="Entry 2 "):
        call_command("verifyaudit")


def test_a_moved_clock_is_found(entries):
    moved = entries[1].created_at + timedelta(microseconds=1)
    tamper("UPDATE accounts_auditentry SET created_at = %s WHERE number = 2", moved)
    with pytest.raises(CommandError, match="Entry 2 "):
        call_command("verifyaudit")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_entry_is_found_also_the_last(entries, number):
    tamper("DELETE FROM accounts_auditentry WHERE number = %s", number)
    with pytest.raises(CommandError, match=f"Entry {number} is missing"):
        call_command("verifyaudit")


def test_an_entry_slipped_in_behind_the_last_is_found(entries):
    slipped = AuditEntry.objects.get(number=3)
    slipped.number, slipped.previous = 4, entries[2].digest
    slipped.digest = slipped.seal()
    slipped.save()
    with pytest.raises(CommandError, match="Entry 4 was slipped in"):
        call_command("verifyaudit")


def test_a_log_written_anew_lacks_the_digest_that_was_noted(entries, account, capsys):
    noted = verify(capsys)[1]
    record("account.change", ACTOR, account)
    assert verify(capsys, "--noted", noted)[0] == "4"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry")
    AuditHead.objects.all().delete()
    for _ in range(4):
        record("account.change", ACTOR, account)
    assert verify(capsys)[0] == "4"
    with pytest.raises(CommandError, match="written anew"):
        call_command("verifyaudit", "--noted", noted)


def test_a_key_s_life_is_told(account, alice):
    by = Actor.of_user(alice)
    raw, key = ApiKey.issue(account, "website", by=by, requests_per_minute=60)
    successor_raw, successor = key.rotate(timedelta(hours=1), by)
    key.revoke(by)
    key.revoke(by)
    told = list(AuditEntry.objects.order_by("number"))
    assert [(entry.action, entry.target_id) for entry in told] == [
        ("apikey.issue", str(key.pk)),
        ("apikey.issue", str(successor.pk)),
        ("apikey.rotate", str(key.pk)),
        ("apikey.revoke", str(key.pk)),
    ]
    assert {(entry.actor_name, entry.account_id) for entry in told} == {("alice", account.pk)}
    assert json.loads(told[0].details)["requests_per_minute"] == 60
    everything = " ".join(str(vars(entry)) for entry in told)
    for secret in (raw, successor_raw, raw[15:-4], key.digest):
        assert secret not in everything


def test_commands_sign_with_their_name(db, capsys):
    call_command("createapikey", "radio")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_kind, entry.actor_name) == (
        "apikey.issue",
        "command",
        "createapikey",
    )
