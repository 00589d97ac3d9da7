"""The public model names that clients of OpenAI's API already send."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MODELS = [
    {
        "name": "tts-1",
        "aliases": ["tts-1-1106"],
        "inference_timesteps": 5,
        "allows_instructions": False,
        "ignores_stream_format": True,
    },
    {
        "name": "gpt-4o-mini-tts",
        "aliases": ["gpt-4o-mini-tts-2025-03-20", "gpt-4o-mini-tts-2025-12-15"],
        "inference_timesteps": 7,
        "allows_instructions": True,
        "ignores_stream_format": False,
    },
    {
        "name": "tts-1-hd",
        "aliases": ["tts-1-hd-1106"],
        "inference_timesteps": 10,
        "allows_instructions": False,
        "ignores_stream_format": True,
    },
]


def add_models(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("speech", "SpeechModel")
    for row in MODELS:
        model.objects.get_or_create(name=row["name"], defaults={"cfg_value": 2.0, **row})


class Migration(migrations.Migration):
    dependencies = [("speech", "0001_initial")]
    operations = [migrations.RunPython(add_models, migrations.RunPython.noop)]
