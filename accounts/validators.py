"""What a key may be limited to, and whether a list of such limits is well formed."""

from __future__ import annotations

import ipaddress
from typing import cast

from django.core.exceptions import ValidationError

SCOPES = ("speech", "voices", "jobs", "usage", "engine", "metrics")


def default_scopes() -> list[str]:
    return ["speech", "voices", "jobs", "usage"]


def check_scopes(scopes: object) -> None:
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
        raise ValidationError(f"Scopes are a list of some of: {', '.join(SCOPES)}.")


def check_names(names: object) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValidationError("This is a list of names.")


def check_networks(networks: object) -> None:
    check_names(networks)
    for network in cast("list[str]", networks):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ValidationError(f"{network} is not a network: {error}") from error
