"""``<number:…>`` in a URL: as Django's ``<int:…>``, but never more than a database can look for.

SQLite raises where a number has more than 63 bits: whoever wrote one would have a 500 for it.
"""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import IntConverter


class Number(IntConverter):
    regex = "[0-9]{1,18}"


register_converter(Number, "number")
