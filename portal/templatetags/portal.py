"""What the portal's templates say often: an icon, a length of audio, where one is."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of ``icons.svg``; decoration, so that words stand beside it or in a label."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.simple_tag(name="list")
def list_(name: str, url: str = "") -> SafeString:
    """The attributes of an element that holds a list. ``lists.js`` tells when it is loaded anew and
    when that failed; whatever loads it asks for the whole page, here or at ``url``, and takes this
    element's inside out of it."""
    return format_html(
        'id="{0}" data-list hx-get="{1}" hx-trigger="refresh" hx-target="this" hx-select="#{0} > *"'
        ' hx-swap="innerHTML"',
        name,
        url,
    )


@register.filter
def duration(ms: int | float | None) -> str:
    """Milliseconds as people read them: 4.2 s, 3:07, 1:02:03."""
    if ms is None:
        return "–"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def seconds(value: float | None) -> str:
    """Seconds, in the same way."""
    return duration(None if value is None else value * 1000)


@register.filter
def is_at(path: str, url: str) -> bool:
    """Whether the page at ``path`` belongs to the entry at ``url``."""
    return bool(url) and path.startswith(url)


@register.filter
def get(mapping: dict[str, str], key: str) -> str:
    """An entry of a mapping, or nothing."""
    return mapping.get(key, "")
