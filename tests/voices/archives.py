"""Archives of recordings for tests, honest ones and others."""

from __future__ import annotations

import io
import zipfile

from tests.voices.recordings import clip

HEAD = "file,name,transcript,language,description,consent,override"


def table(*lines, head=HEAD):
    return "\n".join([head, *lines, ""]).encode()


def archive(files, *, method=zipfile.ZIP_DEFLATED):
    """A zip with these contents by name (or by ZipInfo)."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    sink.seek(0)
    return sink


def honest(*names):
    """As many recordings, each with a line."""
    lines = [f"{name}.wav,{name},,,,," for name in names]
    recordings = {f"{name}.wav": clip("wav") for name in names}
    return archive({"voices.csv": table(*lines), **recordings})
