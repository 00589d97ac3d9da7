"""Webhooks: signed, only to where they may go, never led elsewhere, brought again until taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import pytest
from asgiref.sync import async_to_sync

from accounts.models import Account
from speech.job_models import Job
from speech.job_parts import WebhookDelivery
from speech.longform import delivery
from speech.longform.addresses import check_url, may_call
from speech.longform.webhooks import announce

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status = [], 204
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def sent(transactional_db, make_job, receiver, settings):
    """Deliver what a finished job has to tell; returns its row."""
    settings.WEBHOOK_ALLOW = LOOPBACK
    job = make_job(
        webhook_url=f"http://localhost:{receiver.server_port}/hook?x=1",
        webhook_secret="a secret of sixteen",
    )
    Job.objects.update(state="completed")
    job.refresh_from_db()
    announce(job)

    def deliver():
        due = delivery._claim()
        if due is not None:
            async_to_sync(delivery.deliver)(due)
        return WebhookDelivery.objects.get()

    return deliver


def test_it_is_signed_over_its_time_and_body(sent, receiver):
    assert sent().delivered_at
    ((path, headers, body),) = receiver.got
    assert path == "/hook?x=1"
    assert headers["host"] == f"localhost:{receiver.server_port}"
    parts = dict(part.split("=") for part in headers["x-voxplatform-signature"].split(","))
    signed = f"{parts['t']}.".encode() + body
    expected = hmac.new(b"a secret of sixteen", signed, hashlib.sha256).hexdigest()
    assert parts["v1"] == expected
    event = json.loads(body)
    assert (event["type"], event["id"]) == ("job.completed", headers["x-voxplatform-event"])
    assert event["data"]["segments"]["total"] == 5


@pytest.mark.parametrize("status", [302, 307, 400, 500])
def test_what_is_not_taken_is_brought_again_and_no_redirect_is_followed(sent, receiver, status):
    receiver.status = status
    row = sent()
    assert (row.attempts, row.delivered_at) == (1, None)
    assert row.outcome == f"Answered {status}."
    assert sent().attempts == 1, "it is put off"
    for _ in delivery.PAUSES:
        WebhookDelivery.objects.update(next_at="2020-01-01T00:00Z")
        row = sent()
    assert row.next_at is None
    assert row.attempts == len(delivery.PAUSES) + 1 == len(receiver.got)
    assert {path for path, _, _ in receiver.got} == {"/hook?x=1"}


class Deaf(Receiver):
    """Answers nobody before it is told to."""

    def do_POST(self):
        self.server.told.wait(60)
        super().do_POST()


def test_a_receiver_that_does_not_answer_keeps_no_other_account_waiting(
    transactional_db, make_job, receiver, settings, charlie
):
    settings.WEBHOOK_ALLOW = LOOPBACK
    deaf = ThreadingHTTPServer(("127.0.0.1", 0), Deaf)
    deaf.got, deaf.status, deaf.told = [], 204, threading.Event()
    threading.Thread(target=deaf.serve_forever, daemon=True).start()
    secret = "a secret of sixteen"
    for _ in range(3):
        job = make_job(webhook_url=f"http://localhost:{deaf.server_port}/", webhook_secret=secret)
        announce(job)
    url = f"http://localhost:{receiver.server_port}/"
    other = Account.objects.for_user(charlie)
    announce(make_job(owner=other, webhook_url=url, webhook_secret=secret))

    async def until_it_is_told():
        running = asyncio.create_task(delivery.Postman(pause=0.1).run())
        async with asyncio.timeout(delivery.TRY_SECONDS - 1):
            while not receiver.got:
                await asyncio.sleep(0.05)
        running.cancel()

    asyncio.run(until_it_is_told())
    assert not deaf.got
    deaf.told.set()
    deaf.shutdown()
    deaf.server_close()


def test_a_name_that_leads_inside_is_not_called(sent, receiver, settings):
    settings.WEBHOOK_ALLOW = [ipaddress.ip_network("192.0.2.0/24")]
    assert "public internet" in sent().outcome
    assert receiver.got == []


@pytest.fixture
def answers(monkeypatch):
    """What a name server says of rebind.example, one list of addresses after the other."""
    known, given = socket.getaddrinfo, []

    def ask(host, port, *arguments, **options):
        if host != "rebind.example":
            return known(host, port, *arguments, **options)
        said = given.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in said]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    return given


def test_a_name_that_is_answered_otherwise_the_second_time_leads_nowhere_else(
    sent, receiver, answers
):
    elsewhere = HTTPServer(("127.0.0.2", receiver.server_port), Receiver)
    elsewhere.got, elsewhere.status = [], 204
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    answers += [["127.0.0.1"], ["127.0.0.2"]]
    WebhookDelivery.objects.update(url=f"http://rebind.example:{receiver.server_port}/")
    assert sent().delivered_at
    elsewhere.shutdown()
    elsewhere.server_close()
    assert (len(receiver.got), elsewhere.got, len(answers)) == (1, [], 1)
    assert receiver.got[0][1]["host"] == f"rebind.example:{receiver.server_port}"


def test_a_name_of_which_one_address_is_inside_is_not_called(sent, receiver, answers, settings):
    settings.WEBHOOK_ALLOW = []
    answers.append(["8.8.8.8", "127.0.0.1"])
    WebhookDelivery.objects.update(url=f"https://rebind.example:{receiver.server_port}/")
    assert "public internet" in sent().outcome
    assert receiver.got == []


def test_a_name_that_nobody_can_ask_for_keeps_no_other_from_being_told(sent, receiver):
    WebhookDelivery.objects.update(url="https://a..example/")
    assert sent().outcome
    assert receiver.got == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "172.16.0.1", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::", "fec0::1",
     "::127.0.0.1", "64:ff9b::10.1.2.3", "2002:7f00:1::1"],
)  # fmt: skip
def test_no_address_inside_may_be_called(address):
    assert not may_call(ipaddress.ip_address(address), "https")


def test_what_the_operator_allows_may_be_called_and_public_addresses_with_https_only(settings):
    assert may_call(ipaddress.ip_address("8.8.8.8"), "https")
    assert may_call(ipaddress.ip_address("2600::1"), "https")
    assert may_call(ipaddress.ip_address("64:ff9b::8.8.8.8"), "https")
    assert not may_call(ipaddress.ip_address("8.8.8.8"), "http")
    settings.WEBHOOK_ALLOW = LOOPBACK
    assert may_call(ipaddress.ip_address("127.0.0.1"), "http")
    assert not may_call(ipaddress.ip_address("8.8.8.8"), "http")


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.example", "file:///etc/passwd", "https://", "https://a b", "https://a\n.example",
     "https://[::1", "https://a.example:99999", "https://user@a.example", "https://ä.example",
     "https://a..example", f"https://{'a' * 64}.example"],
)  # fmt: skip
def test_what_is_no_address_of_a_receiver_is_refused(url):
    with pytest.raises(ValueError, match=r"\.$"):
        check_url(url)
