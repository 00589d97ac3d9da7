"""The languages that people read, and the clock that everything is kept by. None of it depends on
the environment: what does stands in ``settings.py``, which takes in all of this.
"""

from __future__ import annotations

from pathlib import Path

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("zh-hans", "简体中文"),
    ("zh-hant", "繁體中文"),
    ("ja", "日本語"),
]
FORMAT_MODULE_PATH = "voxplatform.formats"
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
