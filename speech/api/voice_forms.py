"""What may stand in a JSON body about a voice; an unknown key is an error."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q
from rest_framework import serializers

from accounts.models import Account
from speech.api.serializers import Choice, Flag, Recording, Text
from voices.consents import REASON_LENGTH


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


class McpVoiceSerializer(Strict):
    """The arguments of MCP's tool that makes a voice: what the form of the other faces holds."""

    name = Text(min_length=1, max_length=100, help_text="What the voice is called.")
    audio = Recording(help_text="The recording: data:audio/wav;base64,… of 1 to 30 seconds.")
    consent = Text(
        max_length=2000,
        required=False,
        help_text="A cons_… id, or that the owner of the voice agrees, in words.",
    )
    transcript = Text(max_length=1000, required=False, help_text="Exactly the words spoken in it.")
    language = Text(max_length=35, required=False, help_text="A BCP 47 tag.")
    description = Text(max_length=500, required=False, help_text="For people.")
    override = Flag(required=False, help_text="Use it in spite of warnings.")


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


class WithdrawalSerializer(Strict):
    """Why a consent is withdrawn; nobody has to say so."""

    reason = Text(max_length=REASON_LENGTH, allow_blank=True, required=False)


class ReportSerializer(Strict):
    """Why somebody thinks that a voice should not be here."""

    reason = Text(min_length=3, max_length=2000)
