"""How the libraries behind the API are set up. None of it depends on the machine: what does stands
in ``settings.py``, which takes in all of this.
"""

from __future__ import annotations

from voxplatform import __version__

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "voxplatform.errors.exception_handler",
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "speech.api.schema.ApiSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "VoxPlatform",
    "DESCRIPTION": "Text to speech, compatible with OpenAI's API.",
    "VERSION": __version__,
    # The page and all it loads come from this server.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
    "SERVE_INCLUDE_SCHEMA": False,
    # Anybody reads it; who is signed in reads it within the portal.
    "SERVE_AUTHENTICATION": ["rest_framework.authentication.SessionAuthentication"],
    "PATH_CONVERTER_OVERRIDES": {"number": {"type": "integer", "minimum": 0}},
    # Fields of the same name that take different words.
    "ENUM_NAME_OVERRIDES": {
        "EngineState": ["cold", "loading", "ready", "failed", "stopped"],
        "VoiceState": ["draft", "ready", "disabled"],
        "ConsentState": ["pending", "active", "refused", "withdrawn", "expired"],
        "JobState": [
            "draft",
            "queued",
            "running",
            "waiting",
            "paused",
            "completed",
            "failed",
            "cancelled",
        ],
        "OutputState": ["pending", "ready", "failed"],
        "VoiceType": ["audio_sample", "prompt"],
        "SampleType": ["audio_sample"],
        "VisibilityToSet": ["private", "public"],
        "Visibility": ["private", "shared", "public"],
    },
    "PREPROCESSING_HOOKS": ["voxplatform.openapi.canonical_only"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "voxplatform.openapi.add_probes",
    ],
}

CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/(v1|audio|models)(/|$)"
# The star stands for every header but this one; SDKs send a dozen of their own.
CORS_ALLOW_HEADERS = ["authorization", "*"]
CORS_EXPOSE_HEADERS = [
    "retry-after",
    "retry-after-ms",
    "warning",
    "x-engine",
    "x-model",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-request-id",
    "x-seed",
    "x-should-retry",
]
