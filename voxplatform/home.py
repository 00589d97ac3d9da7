"""The page at /: what runs, and a box that speaks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.gate import gated
from speech.runtime import runtime


def _home(request: HttpRequest) -> HttpResponse:
    context = {"info": runtime.known_info(), "stats": runtime.stats(), "notice": runtime.notice}
    return render(request, "home.html", context)


home = gated(_home)
