"""What may stand in a JSON body about a voice; an unknown key is an error."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q
from rest_framework import serializers

from accounts.models import Account
from speech.api.serializers import Choice, Text


class Strict(serializers.Serializer[Any]):
    """Refuses what it does not know, by name."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            shown = re.sub(r"[^A-Za-z0-9_.-]", "?", str(unknown[0])[:40])
            raise serializers.ValidationError({shown: "There is no such field."})
        return super().run_validation(data)


class VoiceChanges(Strict):
    """Only what is given changes. Sharing has a route of its own."""

    name = Text(min_length=1, max_length=100, required=False)
    description = Text(max_length=500, allow_blank=True, required=False)
    language = Text(max_length=35, allow_blank=True, required=False)
    tags = serializers.ListField(
        child=Text(min_length=1, max_length=40), max_length=20, required=False
    )
    visibility = Choice(choices=["private", "public"], required=False)


class ShareSerializer(Strict):
    """Accounts by name: a shared account's own, or the user name of whose it is."""

    accounts = serializers.ListField(child=Text(min_length=1, max_length=150), max_length=100)

    def named(self) -> list[Account]:
        """The accounts. Raises ValidationError for a name that is nobody's, or several's."""
        found = []
        for name in dict.fromkeys(self.validated_data["accounts"]):
            own = Q(name=name, personal_of=None) | Q(personal_of__username=name)
            accounts = list(Account.objects.filter(own, is_active=True)[:2])
            if len(accounts) != 1:
                raise serializers.ValidationError(
                    {"accounts": f"There is no one account called {name!r}."}
                )
            found += accounts
        return found


class ReportSerializer(Strict):
    """Why somebody thinks that a voice should not be here."""

    reason = Text(min_length=3, max_length=2000)
