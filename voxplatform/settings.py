"""Every setting, read once, and the only file that looks at the environment.

``docs/settings.md`` explains each of them. The defaults run on a bare machine: SQLite, an
in-process cache and channel layer, everything under ``DATA_DIR``.
"""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from voxplatform import __version__
from voxplatform.api_settings import *  # noqa: F403
from voxplatform.environment import Environment
from voxplatform.language_settings import *  # noqa: F403
from voxplatform.logs import logging_config
from voxplatform.network import EVERYWHERE, LOOPBACK, in_url, own_addresses
from voxplatform.object_storage import origins, private_s3
from voxplatform.secret_files import read_or_make
from voxplatform.sign_in_settings import *  # noqa: F403
from voxplatform.unfold import UNFOLD as UNFOLD

env = Environment()
VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.place("DATA_DIR", default=BASE_DIR / "data")

# -- where it runs

DEBUG = env.bool("DEBUG", default=False)
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.port("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in ("http", "https") or not _site.hostname:
    raise ImproperlyConfigured("SITE_URL must look like https://speech.example.com.")

_names_its_hosts = "SITE_URL" in env.ENVIRON or "ALLOWED_HOSTS" in env.ENVIRON
# Commands, probes and scrapers on this machine come by its loopback, whatever the site is called.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), in_url(_site.hostname), *LOOPBACK]
if HOST not in EVERYWHERE:
    ALLOWED_HOSTS.append(in_url(HOST))
elif not _names_its_hosts:
    ALLOWED_HOSTS += own_addresses()
    sys.stderr.write(
        "Accepting this machine's own addresses only. "
        "To be reached by a name, add: SITE_URL=https://speech.example.com\n"
    )

# -- secrets: from the environment, or made on first need; a shared database needs shared ones

_shared_database = "DATABASE_URL" in env.ENVIRON


def _secret(name: str, file: str) -> str:
    value: str = env.str(name, default="")
    if value:
        return value
    if _shared_database:
        raise ImproperlyConfigured(
            f"With DATABASE_URL set, {name} must come from the environment: "
            "every server that shares the database has to use the same one."
        )
    return read_or_make(DATA_DIR / "secrets" / file)


SECRET_KEY = _secret("SECRET_KEY", "secret_key")
# The first pepper keys new digests; further ones, comma-separated, still open older API keys.
KEY_PEPPERS = _secret("KEY_PEPPER", "key_pepper").split(",")

# -- https decides the rest

_https = _site.scheme == "https"
SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|health|metrics)$"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
X_FRAME_OPTIONS = "DENY"

# The admin's own policy stands in voxplatform/middleware.py: its Alpine needs 'unsafe-eval'.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

# -- the apps

INSTALLED_APPS = [
    "voxplatform",  # before the admin makes forms of the models that it translates
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "accounts",
    "voices",
    "speech",
    "portal",
]

MIDDLEWARE = [
    "voxplatform.middleware.FrontDoor",
    "corsheaders.middleware.CorsMiddleware",
    "voxplatform.middleware.SecurityMiddleware",
    "voxplatform.middleware.WhiteNoiseMiddleware",
    "voxplatform.middleware.SessionMiddleware",
    "voxplatform.middleware.CommonMiddleware",
    "voxplatform.middleware.CsrfViewMiddleware",
    "voxplatform.middleware.AuthenticationMiddleware",
    "voxplatform.middleware.PreferencesMiddleware",
    "voxplatform.middleware.MessageMiddleware",
    "voxplatform.middleware.XFrameOptionsMiddleware",
    "voxplatform.middleware.CSPMiddleware",
    # As it is: it is async, does next to nothing, and insists on its own name.
    "allauth.account.middleware.AccountMiddleware",
]
# The checks look for the stock classes by name; ours are subclasses of them.
# HSTS speaks for our host alone: its siblings and the preload list are the operator's to decide.
SILENCED_SYSTEM_CHECKS = [
    *("security.W001", "security.W002", "security.W003"),
    *("security.W005", "security.W021"),
]
ROOT_URLCONF = "voxplatform.urls"
ASGI_APPLICATION = "voxplatform.asgi.application"
# A redirect turns a POST into a GET without its body: both forms of a URL are routes instead.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ]
        },
    }
]

# -- what is stored

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/voxplatform.sqlite3")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock up front: a deferred transaction that turns into a write
    # fails with "database is locked" at once, whatever the timeout.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        # The ledger moves the log (speech/write_log.py); 64 MB is for when it cannot keep up.
        # What is erased leaves no bytes in the file.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        " PRAGMA wal_autocheckpoint=16384; PRAGMA secure_delete=ON;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=20), "timeout": 5},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
# How often somebody has tried to sign in is counted here, for all servers where they share Redis.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
S3_BUCKET = env.str("S3_BUCKET", default="")
S3_ENDPOINT = env.str("S3_ENDPOINT", default="").rstrip("/")
S3_REGION = env.str("S3_REGION", default="")
STORAGES = {
    "default": private_s3(
        S3_BUCKET,
        endpoint=S3_ENDPOINT,
        region=S3_REGION,
        access_key=env.str("S3_ACCESS_KEY", default=""),
        secret_key=env.str("S3_SECRET_KEY", default=""),
        seconds=env.float("S3_SECONDS", default=5),
        link_seconds=env.int("S3_LINK_SECONDS", default=300),
    )
    if S3_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "media"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# Players follow signed links to where the recordings are.
CONTENT_SECURITY_POLICY["DIRECTIVES"]["media-src"] += origins(S3_BUCKET, S3_ENDPOINT, S3_REGION)
# Recordings are for the platform's own user alone; nothing is served from where they lie.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "voxplatform.uploads.NamelessFileHandler",
]
# Ids of what was erased, so that it stays erased when an older database is restored.
TOMBSTONES_FILE = DATA_DIR / "tombstones.jsonl"

# -- voices

REQUIRE_CONSENT = env.str("REQUIRE_CONSENT", default="attestation")
VOICE_CHECKS = env.str("VOICE_CHECKS", default="refuse")
VOICES_PER_ACCOUNT = env.int("VOICES_PER_ACCOUNT", default=100)
VOICE_BYTES_PER_ACCOUNT = env.int("VOICE_BYTES_PER_ACCOUNT", default=1_000_000_000)
TRANSCRIBER = env.str("TRANSCRIBER", default="none")
SPEAKER_CHECK = env.str("SPEAKER_CHECK", default="none")
PROTECTED_NAMES = env.place("PROTECTED_NAMES", default=None)

# -- people

# Who may make an account: anybody, those who were invited, or nobody but the admin.
SIGN_UP = env.str("SIGN_UP", default="invite")
# What a person's own account begins with; 0 is no limit. Strangers may not speak for ever.
_characters = env.int("NEW_ACCOUNT_CHARACTERS", default=100_000 if SIGN_UP == "open" else 0)
NEW_ACCOUNT_LIMITS = {
    "monthly_characters": _characters or None,
    "monthly_seconds": env.int("NEW_ACCOUNT_SECONDS", default=0) or None,
}
TEAMS_PER_PERSON = env.int("TEAMS_PER_PERSON", default=3)
# What one person may have spoken at their browsers, where no key's limits hold; 0 is no limit.
PERSON_REQUESTS_PER_MINUTE = env.int("PERSON_REQUESTS_PER_MINUTE", default=60)
PERSON_STREAMS = env.int("PERSON_STREAMS", default=8)
EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="optional")
globals().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default=f"VoxPlatform <noreply@{_site.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# What accounts remember of what their people have spoken, where they have no rule of their own.
HISTORY = env.str("HISTORY", default="text")
HISTORY_DAYS = env.int("HISTORY_DAYS", default=30)
for _name, _allowed in {
    "SIGN_UP": ("open", "invite", "closed"),
    "EMAIL_VERIFICATION": ("mandatory", "optional", "none"),
    "HISTORY": ("off", "hash", "text", "audio"),
}.items():
    if globals()[_name] not in _allowed:
        raise ImproperlyConfigured(f"{_name} must be one of: {', '.join(_allowed)}.")

# Single sign-on with an OpenID Connect provider, where one is named.
_oidc = {
    "provider_id": "sso",
    "name": env.str("OIDC_NAME", default="Single sign-on"),
    "client_id": env.str("OIDC_CLIENT_ID", default=""),
    "secret": env.str("OIDC_CLIENT_SECRET", default=""),
    "settings": {"server_url": env.str("OIDC_URL", default="")},
}
SINGLE_SIGN_ON = bool(_oidc["client_id"])
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [_oidc] if SINGLE_SIGN_ON else []}}

ACCOUNT_EMAIL_VERIFICATION = EMAIL_VERIFICATION
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme

# -- the API

# Browsers may call the API from these pages; never with cookies.
CORS_ORIGINS = env.list("CORS_ORIGINS", default=["*"])
CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ORIGINS
CORS_ALLOWED_ORIGINS = [] if CORS_ALLOW_ALL_ORIGINS else CORS_ORIGINS

ANONYMOUS_LISTING = env.bool("ANONYMOUS_LISTING", default=True)
METRICS_ALLOW = [
    ipaddress.ip_network(network)
    for network in env.list("METRICS_ALLOW", default=["127.0.0.0/8", "::1/128"])
]
MAX_INPUT_CHARACTERS = env.int("MAX_INPUT_CHARACTERS", default=4096)
DEFAULT_VOICE = env.str("DEFAULT_VOICE", default="alloy")
# The official client takes events of 1 MiB at most; in base64 audio grows by a third.
MCP_AUDIO_BYTES = env.int("MCP_AUDIO_BYTES", default=750_000)
# Longer audio is had by a link, up to this.
MCP_LINK_BYTES = env.int("MCP_LINK_BYTES", default=50_000_000)
MCP_SESSIONS = env.int("MCP_SESSIONS", default=1000)
# What was just spoken is kept for downloads: for so long, and so much of what people heard here.
TAKE_MINUTES = env.float("TAKE_MINUTES", default=30)
TAKES_MB = env.int("TAKES_MB", default=512)
# How many DRF gates run at once; a thread each, with a database connection of its own.
GATE_THREADS = env.int("GATE_THREADS", default=8)

# -- long texts

MAX_JOB_CHARACTERS = env.int("MAX_JOB_CHARACTERS", default=1_000_000)
JOBS_PER_ACCOUNT = env.int("JOBS_PER_ACCOUNT", default=100)
JOB_SEGMENTS = env.int("JOB_SEGMENTS", default=0)
JOB_DAYS = env.int("JOB_DAYS", default=7)
RUN_JOBS = env.bool("RUN_JOBS", default=True)
WEBHOOK_ALLOW = [ipaddress.ip_network(network) for network in env.list("WEBHOOK_ALLOW", default=[])]

# -- the server

MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=1024 * 1024)
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=11 * 1024 * 1024)
# The server counts bytes before Django sees any; this is Django's own limit for what is no file.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_UPLOAD_BYTES
MAX_IMPORT_BYTES = env.int("MAX_IMPORT_BYTES", default=64 * 1024 * 1024)
HEADER_SECONDS = env.float("HEADER_SECONDS", default=15)
BODY_SECONDS = env.float("BODY_SECONDS", default=30)
STALL_SECONDS = env.float("STALL_SECONDS", default=30)
DRAIN_SECONDS = env.float("DRAIN_SECONDS", default=30)
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

# -- the engine

SPEECH_ENGINE = env.str("SPEECH_ENGINE", default="auto")
QUEUE_SECONDS = env.float("QUEUE_SECONDS", default=20)
ENGINE_STEP_SECONDS = env.float("ENGINE_STEP_SECONDS", default=20)
ENGINE_CONFIG = env.json("ENGINE_CONFIG", default={})
ENGINE_IDLE_SECONDS = env.float("ENGINE_IDLE_SECONDS", default=0)
LOOKAHEAD = env.int("LOOKAHEAD", default=4)

# -- VoxCPM

SPEECH_MODEL = env.str("SPEECH_MODEL", default="")
VOXCPM_CONFIG = {
    "device": env.str("DEVICE", default="auto"),
    "dtype": env.str("DTYPE", default=""),
    "threads": env.int("ENGINE_THREADS", default=0),
    "slots": env.int("ENGINE_SLOTS", default=0),
    "interactive_slots": env.int("ENGINE_INTERACTIVE_SLOTS", default=None),
    "max_length": env.int("ENGINE_MAX_LENGTH", default=0),
    "prefill_tokens": env.int("ENGINE_PREFILL_TOKENS", default=0),
    "prefill_passes": env.int("ENGINE_PREFILL_PASSES", default=0),
    "voice_cache_bytes": env.int("ENGINE_VOICE_CACHE_MB", default=256) * 1024 * 1024,
    "graphs": env.bool("ENGINE_GRAPHS", default=True),
    "vae_precision": env.str("ENGINE_VAE_PRECISION", default=""),
}

# -- models

MODELS_DIR = env.place("MODELS_DIR", default=DATA_DIR / "models")
TRANSCRIBER_MODEL = env.place("TRANSCRIBER_MODEL", default=MODELS_DIR / "SenseVoiceSmall")
# Both hubs' own names, so that what is set for their tools holds here too.
MODEL_HUBS = {
    "huggingface": (
        env.str("HF_ENDPOINT", default="https://huggingface.co"),
        env.str("HF_TOKEN", default=""),
    ),
    "modelscope": (
        env.str("MODELSCOPE_ENDPOINT", default="https://modelscope.cn"),
        env.str("MODELSCOPE_API_TOKEN", default=""),
    ),
}

# -- logs

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None
logging_config(LOG_LEVEL, as_json=env.bool("LOG_JSON", default=False))
