"""The two hubs: how each lists the files of a model, and where each file is.

A hub states size and digest of every file. Knows HTTP and JSON; nothing of disks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

import httpx

from speech.engine.voxcpm.checkpoint import KNOWN, directory_name
from speech.hub.errors import FetchError

Algorithm = Literal["sha256", "git-sha1"]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it; an empty digest where it states none."""

    path: str
    size: int
    algorithm: Algorithm
    digest: str
    url: str


class Hub(ABC):
    """One hub at one address. ``token`` opens private models."""

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, endpoint: str, token: str = "") -> None:
        self.endpoint = endpoint.rstrip("/")
        self.token = token

    @abstractmethod
    def files(self, client: httpx.Client, model: str) -> list[RemoteFile]:
        """Every file of ``owner/name``. Raises FetchError."""

    def headers(self) -> dict[str, str]:
        """What shows who asks; httpx does not hand it on to another host."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    def model_id(self, model: str) -> str:
        """``owner/name`` of a known name or of an id."""
        return KNOWN.get(directory_name(model), model)

    def _ask(self, client: httpx.Client, path: str, model: str) -> dict[str, Any]:
        try:
            response = client.get(self.endpoint + path, headers=self.headers())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(self.unreachable(error)) from error
        if response.status_code in (401, 403, 404):
            raise FetchError(self._absent(model))
        if response.status_code != 200:
            raise FetchError(
                f"{self.title} answered {response.status_code} when asked for {model}."
            )
        try:
            content = response.json()
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise FetchError(f"What answers at {self.endpoint} is not {self.title}.")
        return content

    def _absent(self, model: str) -> str:
        key = "is private and the token does not open it" if self.token else "needs a token"
        return f"There is no model {model} on {self.title}, or it {key}."

    def unreachable(self, error: Exception) -> str:
        """The sentence for a hub that does not answer."""
        host = urlsplit(self.endpoint).netloc or self.endpoint
        reason = "it does not answer" if isinstance(error, httpx.TimeoutException) else str(error)
        return f"{self.title} cannot be reached at {host}: {reason.rstrip('.') or 'no connection'}."

    def _listing(self, found: Any, model: str) -> list[RemoteFile]:
        """Read entries with the subclass's ``_file``; one hub lists folders as well."""
        try:
            return [self._file(each, model) for each in found if each.get("Type") != "tree"]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise FetchError(
                f"{self.title} describes the files of {model} in a way that is not understood."
            ) from None

    @abstractmethod
    def _file(self, entry: dict[str, Any], model: str) -> RemoteFile: ...


class HuggingFace(Hub):
    name = "huggingface"
    title = "Hugging Face"
    _commit = "main"

    def files(self, client: httpx.Client, model: str) -> list[RemoteFile]:
        path = f"/api/models/{quote(model)}/revision/main?blobs=true"
        described = self._ask(client, path, model)
        # Files are asked for by commit: an update meanwhile must not mix two versions.
        self._commit = str(described.get("sha", "main"))
        return self._listing(described.get("siblings"), model)

    def _file(self, entry: dict[str, Any], model: str) -> RemoteFile:
        path, lfs = entry["rfilename"], entry.get("lfs")
        return RemoteFile(
            path=path,
            size=int(entry["size"]),
            algorithm="sha256" if lfs else "git-sha1",
            digest=str((lfs["sha256"] if lfs else entry.get("blobId")) or "").lower(),
            url=f"{self.endpoint}/{quote(model)}/resolve/{quote(self._commit)}/{quote(path)}",
        )


class ModelScope(Hub):
    name = "modelscope"
    title = "ModelScope"

    def model_id(self, model: str) -> str:
        return super().model_id(model).replace("openbmb/", "OpenBMB/")

    def headers(self) -> dict[str, str]:
        cookie = {"cookie": f"m_session_id={self.token}"} if self.token else {}
        return super().headers() | cookie

    def files(self, client: httpx.Client, model: str) -> list[RemoteFile]:
        path = f"/api/v1/models/{quote(model)}/repo/files?Revision=master&Recursive=True"
        answer = self._ask(client, path, model)
        if answer.get("Success") is False or not isinstance(answer.get("Data"), dict):
            raise FetchError(self._absent(model))
        return self._listing(answer["Data"].get("Files") or [], model)

    def _file(self, entry: dict[str, Any], model: str) -> RemoteFile:
        path = entry["Path"]
        where = f"Revision=master&FilePath={quote(path)}"
        return RemoteFile(
            path=path,
            size=int(entry["Size"]),
            algorithm="sha256",
            digest=str(entry.get("Sha256") or "").lower(),
            url=f"{self.endpoint}/api/v1/models/{quote(model)}/repo?{where}",
        )


HUBS: dict[str, type[Hub]] = {hub.name: hub for hub in (HuggingFace, ModelScope)}
