"""Groups of three with a comma, as CLDR has them and as the pages' scripts write."""

from __future__ import annotations

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
