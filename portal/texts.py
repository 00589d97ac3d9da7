"""Texts to begin with: examples for the studio, and what one reads aloud to record a voice.

They are in the language in which they are spoken, which is not translation: each is written anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Sample:
    """An example, and its name on the button."""

    title: str
    text: str
    lang: str


# Story, news, numbers.
_SAMPLES = {
    "en": (
        "The lighthouse keeper counted the waves that evening, as she did every evening, and for "
        "the first time in thirty years one of them did not come back.",
        "Good evening. The harbour bridge opens again on Monday, two weeks earlier than planned. "
        "Ferries run until then, every twenty minutes from six in the morning.",
        "Your order of 3 items comes to $1,249.50 and arrives on 12 March between 2:30 and 4 p.m. "
        "Questions? Call 555-0142.",
    ),
    "zh-hans": (
        "那天傍晚，守灯塔的人照例数着海浪。三十年来第一次，有一朵浪没有回来。",
        "晚上好。海港大桥将于星期一重新开放，比原计划提前两周。在此之前，渡轮从早上六点起每二十分钟一班。",
        "您订购的 3 件商品共计 1249.50 元，将于 3 月 12 日下午 2:30 至 4:00 送达。",
    ),
    "zh-hant": (
        "那天傍晚，守燈塔的人照例數著海浪。三十年來第一次，有一朵浪沒有回來。",
        "晚安。海港大橋將於星期一重新開放，比原計畫提前兩週。在此之前，渡輪從早上六點起每二十分鐘一班。",
        "您訂購的 3 件商品共計 1249.50 元，將於 3 月 12 日下午 2:30 至 4:00 送達。",
    ),
    "ja": (
        "その夕方も、灯台守はいつものように波を数えていました。三十年ではじめて、ひとつの波が帰ってきませんでした。",
        "こんばんは。港の橋は予定より二週間早く、月曜日に再び開通します。それまでは、朝六時から二十分おきにフェリーが出ます。",
        "ご注文の 3 点は合計 12,495 円、3 月 12 日の午後 2 時 30 分から 4 時の間にお届けします。",
    ),
}

# About ten seconds each, with many sounds of the language.
_READINGS = {
    "en": (
        "Please call the bakery before noon and ask whether they still have two loaves of dark "
        "rye. If the queue is short, choose something sweet as well.",
        "A thin fog lay over the valley this morning. By the time the church bells rang, the sun "
        "had pushed it aside, and we could see all the way to the river.",
    ),
    "zh": (
        "请你中午以前给面包店打个电话，问问还有没有两条黑麦面包。如果排队的人不多，就再挑一点甜的。",
        "今天早上山谷里有一层薄雾。等到钟声响起的时候，太阳已经把它推开，我们能一直望到河边。",
    ),
    "ja": (
        "お昼までにパン屋さんに電話をして、ライ麦パンがまだ二本あるか聞いてください。"
        "列が短ければ、甘いものも何か選んでください。",
        "今朝、谷には薄い霧がかかっていました。鐘が鳴るころには日が差して、川の向こうまで見渡せました。",
    ),
    "de": (
        "Rufen Sie bitte vor Mittag beim Bäcker an und fragen Sie, ob es noch zwei dunkle "
        "Roggenbrote gibt. Wenn die Schlange kurz ist, nehmen Sie auch etwas Süßes mit.",
    ),
    "fr": (
        "Appelez la boulangerie avant midi et demandez s'il reste deux pains de seigle. Si la "
        "file est courte, choisissez aussi quelque chose de sucré.",
    ),
    "es": (
        "Llame a la panadería antes del mediodía y pregunte si aún quedan dos panes de centeno. "
        "Si la cola es corta, elija también algo dulce.",
    ),
}


def samples() -> list[Sample]:
    """The examples in the reader's language."""
    lang = get_language() or "en"
    lang = lang if lang in _SAMPLES else "en"
    titles = (_("Story"), _("News"), _("Numbers"))
    return [Sample(title, text, lang) for title, text in zip(titles, _SAMPLES[lang], strict=True)]


def readings() -> dict[str, tuple[str, ...]]:
    """What can be read aloud, by the primary language of a tag."""
    return _READINGS
