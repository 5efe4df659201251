"""All settings, read once from the environment. docs/reference/settings.md lists every variable."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from mcl_web import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.path("MCL_VAR", BASE_DIR / "var")


def _var_dir() -> Path:
    try:
        VAR_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"Cannot create {VAR_DIR} ({error.strerror}); set MCL_VAR to a folder you may write to."
        ) from None
    return VAR_DIR


def _secret_key() -> str:
    """MCL_SECRET_KEY, or one made on the first start and kept in the state folder, readable by its owner only."""
    if key := env.text("MCL_SECRET_KEY"):
        return key
    file = _var_dir() / "secret-key"
    try:
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(50), encoding="ascii")
        return file.read_text(encoding="ascii")
    except OSError as error:
        raise ImproperlyConfigured(
            f"Cannot write {file} ({error.strerror}); set MCL_VAR to a folder you may write to."
        ) from None


SECRET_KEY = _secret_key()
DEBUG = env.flag("MCL_DEBUG", False)
ALLOWED_HOSTS = env.words("MCL_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("MCL_ORIGINS", "")
# The embedded lab listens on loopback only and has one user; anything that is served to others asks for a login.
REQUIRE_LOGIN = env.flag("MCL_REQUIRE_LOGIN", False)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "mcl_web",
    "trajectories",
    "solver",
    "training",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mcl_web.middleware.EveryAddress",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    *(["django.contrib.auth.middleware.LoginRequiredMiddleware"] if REQUIRE_LOGIN else []),
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mcl_web.urls"
ASGI_APPLICATION = "mcl_web.asgi.application"
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
                "mcl_web.context.lab",
            ],
        },
    }
]

DATABASES = {"default": env.database("DATABASE_URL", VAR_DIR / "lab.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = _var_dir() / "static"  # filled by collectstatic, where a proxy serves files
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True


# Without REDIS_URL the broker is the one that `manage.py up` starts on a private socket.
def _socket_dir() -> Path:
    """The state folder, or, where that path is too long for a unix socket (108 bytes), a private short one."""
    if len(os.fsencode(VAR_DIR)) < 80:
        return VAR_DIR
    name = hashlib.sha256(os.fsencode(VAR_DIR)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"mcl-{os.getuid()}-{name}"


SOCKET_DIR = _socket_dir()
BROKER_SOCKET = SOCKET_DIR / "broker.sock"
REDIS_URL = env.text("REDIS_URL") or f"unix://{BROKER_SOCKET}"
EMBEDDED_BROKER = not env.text("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # A blocking read must be allowed to wait: the pinned redis-py has no default timeout, newer ones do.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "capacity": 1000, "expiry": 30},
    }
}
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("unix://"):
    CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1) + "?virtual_host=1"
# A page that publishes must not wait long for a broker that is away: the reaper publishes again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
    "socket_connect_timeout": 2,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "solver.tasks.run": {"queue": "infer"},
    "solver.tasks.rejudge": {"queue": "judge"},
    "solver.tasks.export_runs": {"queue": "judge"},
    "training.tasks.supervise": {"queue": "infer"},
    "training.tasks.build_version": {"queue": "judge"},
    "training.train": {"queue": "train"},
    "training.exam": {"queue": "infer"},
}
_REAP_EVERY = env.seconds("MCL_REAP_EVERY", 5, 1, 60)
# What a worker that was away or busy finds in its queue says no more than the newest of it.
_NEWS = {"expires": 60}
CELERY_BEAT_SCHEDULE = {
    "reap": {"task": "solver.tasks.reap", "schedule": _REAP_EVERY, "options": _NEWS},
    "curate": {"task": "training.tasks.curate", "schedule": _REAP_EVERY, "options": _NEWS},
    "reap-training": {"task": "training.reap", "schedule": _REAP_EVERY, "options": _NEWS},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

LEASE_SECONDS = env.seconds("MCL_LEASE_SECONDS", 15, 2, 600)
RUNS_PER_WORKER = env.integer("MCL_RUNS_PER_WORKER", 8, 1, 256)
ANSWERS_MB = env.integer("MCL_ANSWERS_MB", 1024, 1, 1_000_000)
JUDGE_MIN_LEVEL = env.text("MCL_JUDGE_MIN_LEVEL", "L1")
JUDGE_SLOTS = env.integer("MCL_JUDGE_SLOTS", 0, 0, 256) or None

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "mcl_web.api_guard.FromThisSite",
        "rest_framework.permissions.IsAuthenticated"
        if REQUIRE_LOGIN
        else "rest_framework.permissions.AllowAny",
    ],
    "DEFAULT_PARSER_CLASSES": ["mcl_web.api_guard.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MapCoder-Lite Lab",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mcl_web.openapi.document_errors",
    ],
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Where the lab is reached by TLS alone, a sign-in must not travel without it: one link to http:// would show it to the net.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("MCL_LOG_LEVEL", "INFO")},
    # The SDKs log whole requests at INFO and DEBUG; prompts and headers stay out of the lab's logs.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("httpx", "httpx2", "httpcore", "openai", "urllib3", "celery.app.trace")
    },
}
