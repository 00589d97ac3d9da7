"""The S3-compatible storage: nothing in it is public, and whoever may hear something gets a signed
link that soon ends.

Its failures leave as OSError, as a file system's do: nobody else knows the names of botocore's.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from s3transfer.exceptions import RetriesExceededError, S3UploadFailedError
from storages.backends.s3 import S3Storage

_IN_MEMORY = 8 * 1024 * 1024
_LARGEST = 5 * 1024**3
"""What one request may store."""
_FAILURES = (
    *(BotoCoreError, ClientError, Boto3Error),
    *(RetriesExceededError, S3UploadFailedError),
)


class PrivateS3Storage(S3Storage):  # type: ignore[misc]
    """``seconds`` is how long connecting, and each wait for bytes, may take; tried twice."""

    def __init__(self, *, seconds: float, endpoint_url: str | None, **options: Any) -> None:
        super().__init__(
            endpoint_url=endpoint_url,
            client_config=Config(
                connect_timeout=seconds,
                read_timeout=seconds,
                retries={"total_max_attempts": 2, "mode": "standard"},
                signature_version="s3v4",
                # Other makers' servers know buckets by path, and no checksums of Amazon's.
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            # In one piece: of one that is broken off nothing is left, which parts would be.
            transfer_config=TransferConfig(use_threads=False, multipart_threshold=_LARGEST),
            default_acl=None,
            querystring_auth=True,
            # Names are random: asking first whether one is taken would cost a request.
            file_overwrite=True,
            **options,
        )
        self._opening = threading.Lock()
        self._opened: Any = None

    @property
    def connection(self) -> Any:
        """One for all threads: opening one takes most of a second, and what we call is safe."""
        with self._opening:
            if self._opened is None:
                self._opened = super().connection
        return self._opened

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """The object, read to its end: a body that breaks off does so here."""
        with ExitStack() as undone, _as_os_error(name):
            file = undone.enter_context(SpooledTemporaryFile(_IN_MEMORY))
            found = self.connection.meta.client.get_object(
                Bucket=self.bucket_name, Key=self._normalize_name(name)
            )
            with closing(found["Body"]) as body:
                shutil.copyfileobj(body, file)
            file.seek(0)
            undone.pop_all()  # now it is the reader's to close
        return File(file, name)

    def _save(self, name: str, content: Any) -> str:
        with _as_os_error(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """For good: a bucket that keeps versions says so, and loses all of them."""
        with _as_os_error(name):
            key, client = self._normalize_name(name), self.connection.meta.client
            if "VersionId" in client.delete_object(Bucket=self.bucket_name, Key=key):
                self.bucket.object_versions.filter(Prefix=key).delete()

    def exists(self, name: str) -> bool:
        with _as_os_error(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with _as_os_error(name):
            return int(super().size(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _as_os_error(name):
            folders, files = super().listdir(name)
        return folders, files

    def signed_url(self, name: str, content_type: str, disposition: str) -> str:
        """Where a browser gets it, for as long as ``querystring_expire`` says."""
        told = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
        with _as_os_error(name):
            return str(self.url(name, parameters=told | {"ResponseCacheControl": "no-store"}))


@contextmanager
def _as_os_error(name: str) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        if isinstance(error, ClientError) and _status(error) == 404:
            raise FileNotFoundError(f"There is no {name}.") from error
        raise OSError(f"{type(error).__name__}: {error}") from error


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
