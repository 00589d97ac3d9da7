"""How an operator sees people, accounts and keys. Knows nothing of speech."""

from __future__ import annotations

from accounts.admin.account import AccountAdmin
from accounts.admin.audit import AuditEntryAdmin
from accounts.admin.key import ApiKeyAdmin
from accounts.admin.people import GroupAdmin, UserAdmin

__all__ = ["AccountAdmin", "ApiKeyAdmin", "AuditEntryAdmin", "GroupAdmin", "UserAdmin"]
