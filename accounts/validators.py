"""What a key may be limited to, and whether a list of such limits is well formed."""

from __future__ import annotations

import ipaddress
from typing import cast

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Every request reads its key, with all of them.
_MOST = 500
_LONGEST = 200

SCOPES = ("speech", "voices", "jobs", "usage", "engine", "metrics")


def default_scopes() -> list[str]:
    return ["speech", "voices", "jobs", "usage"]


def check_scopes(scopes: object) -> None:
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
        raise ValidationError(f"Scopes are a list of some of: {', '.join(SCOPES)}.")


def check_names(names: object) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValidationError("This is a list of names.")
    if len(names) > _MOST:
        raise ValidationError(_("At most %(most)s entries."), params={"most": _MOST})
    if any(len(name) > _LONGEST or not name.isprintable() for name in names):
        raise ValidationError(
            _("Each is a text of at most %(n)s characters."), params={"n": _LONGEST}
        )


def check_networks(networks: object) -> None:
    check_names(networks)
    for network in cast("list[str]", networks):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            told = _("%(network)s is not a network such as 192.0.2.0/24.")
            raise ValidationError(told, params={"network": network}) from error
