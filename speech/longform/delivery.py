"""Bringing webhooks to their receivers: signed, to the address that was checked, again and again.

The name is resolved once and the connection goes to an address that was looked at: no second answer
of a name server leads elsewhere, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import socket
import time
from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlunsplit

import httpx
from django.db import DatabaseError, InterfaceError
from django.db.models import F
from django.db.models.functions import Now

from speech.job_parts import WebhookDelivery
from speech.longform.addresses import check_url, may_call
from speech.longform.work import aside

logger = logging.getLogger(__name__)

PAUSES = (10, 60, 300, 1800, 7200, 21_600, 43_200)
"""Seconds between tries; after the last it is given up."""

TRY_SECONDS = 15.0
AT_ONCE = 8
_CLAIMED = timedelta(seconds=60)


class Refused(Exception):
    """The receiver may not be called, or did not take it."""


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What stands in ``x-voxplatform-signature``."""
    signed = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


class Postman:
    """``run`` looks for what is due, for ever. AT_ONCE are on their way at the same time, of each
    account one: whoever's receiver does not answer makes nobody else wait."""

    def __init__(self, pause: float = 2.0) -> None:
        self._pause = pause
        self._under_way: dict[asyncio.Task[None], int] = {}  # and whose they are

    async def run(self) -> None:
        try:
            while True:
                await self._send_out()
                await self._rest()
        finally:
            for task in self._under_way:
                task.cancel()

    async def _send_out(self) -> None:
        try:
            while len(self._under_way) < AT_ONCE:
                due = await aside(_claim, set(self._under_way.values()))
                if due is None:
                    return
                task = asyncio.create_task(deliver(due))
                self._under_way[task] = due.job.account_id
        except (DatabaseError, InterfaceError) as error:
            logger.warning("webhooks find no database: %s", error)

    async def _rest(self) -> None:
        """Until one of them has ended, and not for long."""
        pause = asyncio.create_task(asyncio.sleep(self._pause))
        await asyncio.wait({pause, *self._under_way}, return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            if error := task.exception():
                logger.error("a webhook was not brought", exc_info=error)


async def deliver(delivery: WebhookDelivery) -> None:
    """One try, and what came of it written down. Raises what the database does."""
    try:
        async with asyncio.timeout(TRY_SECONDS):
            await send(delivery)
    # ValueError: a name that cannot be asked for, or a host that TLS cannot name.
    except (Refused, OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        outcome = str(error) or "No answer in time."
        await aside(_put_off, delivery, outcome)
    else:
        await aside(_delivered, delivery)


async def send(delivery: WebhookDelivery) -> None:
    """One try. Raises Refused, OSError or an error of httpx."""
    try:
        parts = check_url(delivery.url)
    except ValueError as error:
        raise Refused(str(error)) from None
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = await _resolve(host, port, parts.scheme)
    shown = f"[{address}]" if ":" in address else address
    url = urlunsplit((parts.scheme, f"{shown}:{port}", parts.path or "/", parts.query, ""))
    body = delivery.body.encode()
    headers = {
        "host": parts.netloc,
        "content-type": "application/json",
        "user-agent": "VoxPlatform-Webhooks",
        "x-voxplatform-event": delivery.event_id,
        "x-voxplatform-signature": signature(delivery.secret, int(time.time()), body),
    }
    # Not through a proxy that the environment names: the address is what was checked.
    async with (
        httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TRY_SECONDS) as http,
        http.stream(
            "POST", url, content=body, headers=headers, extensions={"sni_hostname": host}
        ) as answer,
    ):
        if not answer.is_success:
            raise Refused(f"Answered {answer.status_code}.")


async def _resolve(host: str, port: int, scheme: str) -> str:
    """An address of the host; all of them must be ones that may be called."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    for address in addresses:
        if not may_call(ipaddress.ip_address(address.partition("%")[0]), scheme):
            raise Refused("Its address is not one of the public internet.")
    return addresses[0]


def _claim(busy: Collection[int] = ()) -> WebhookDelivery | None:
    """The next one that is due and of no account in ``busy``, put off meanwhile, so that no other
    server takes it."""
    due = WebhookDelivery.objects.filter(next_at__lte=Now()).exclude(job__account__in=busy)
    for delivery in due.select_related("job").order_by("next_at")[:10]:
        mine = WebhookDelivery.objects.filter(pk=delivery.pk, next_at=delivery.next_at)
        if mine.update(next_at=Now() + _CLAIMED, attempts=F("attempts") + 1):
            delivery.attempts += 1
            return delivery
    return None


def _put_off(delivery: WebhookDelivery, outcome: str) -> None:
    again = delivery.attempts <= len(PAUSES)
    pause = timedelta(seconds=PAUSES[delivery.attempts - 1]) if again else None
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        next_at=Now() + pause if pause else None, outcome=outcome[:200]
    )


def _delivered(delivery: WebhookDelivery) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        next_at=None, delivered_at=Now(), outcome="Taken."
    )
