"""What Django's settings say of an S3-compatible storage. Settings only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def private_s3(
    bucket: str,
    *,
    endpoint: str,
    region: str,
    access_key: str,
    secret_key: str,
    seconds: float,
    link_seconds: int,
) -> dict[str, Any]:
    """An entry of STORAGES. Without keys the machine's own role counts."""
    if bool(access_key) != bool(secret_key):
        raise ImproperlyConfigured("S3_ACCESS_KEY and S3_SECRET_KEY belong together.")
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ImproperlyConfigured("S3_ENDPOINT must look like https://s3.example.com.")
    return {
        "BACKEND": "voices.s3.PrivateS3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint or None,
            "region_name": region or None,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "seconds": seconds,
            "querystring_expire": link_seconds,
        },
    }


def origins(bucket: str, endpoint: str, region: str) -> list[str]:
    """Where browsers are sent for a recording, as a content security policy names it."""
    if not bucket:
        return []
    if endpoint:
        place = urlsplit(endpoint)
        return [f"{place.scheme}://{place.netloc}"]
    named = f".{region}" if region else ""
    return [f"https://{bucket}.s3{named}.amazonaws.com"]
