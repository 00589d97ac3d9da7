"""Texts from before a title was made of first words get theirs."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils.text import Truncator


def name_untitled(apps: Any, schema_editor: Any) -> None:
    untitled = apps.get_model("speech", "Job").objects.filter(title="")
    for job in list(untitled.only("pk")):
        texts = job.segments.order_by("index").values_list("text", flat=True)[:5]
        untitled.filter(pk=job.pk).update(title=Truncator(" ".join(texts)).chars(60))


class Migration(migrations.Migration):
    dependencies = [("speech", "0009_names")]
    operations = [migrations.RunPython(name_untitled, migrations.RunPython.noop)]
