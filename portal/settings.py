"""Django's settings, all derived from `portal.environment`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from portal import environment

ENV = environment.read()
PROJECT = environment.PROJECT

SECRET_KEY = ENV.load_secret_key()
DEBUG = ENV.debug
ALLOWED_HOSTS = ENV.hosts
CSRF_TRUSTED_ORIGINS = [ENV.origin]

INSTALLED_APPS = [
    # First, so that their templates stand before those of allauth and the admin.
    "portal.web",
    "portal.accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_htmx",
    "ninja",
    "procrastinate.contrib.django",
    "portal.participants",
    "portal.conversations",
    "portal.usage",
    "portal.assessments",
    "portal.inquiries",
    "portal.corrections",
    "portal.search",
    "portal.notifications",
    "portal.live",
    "portal.pipeline",
    "portal.operations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.accounts.middleware.SignInRequiredMiddleware",
    "portal.accounts.middleware.EmployeeLanguageMiddleware",
    "portal.accounts.middleware.NoStoreMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.accounts.context.organisation",
                "portal.web.fragments.context",
            ],
        },
    },
]


def _database() -> dict[str, object]:
    if ENV.database_url is None:
        from portal.operations.database import embedded_url

        url = embedded_url(ENV.data)
    else:
        url = ENV.database_url
    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", None),
        "USER": parts.pop("user", None),
        "PASSWORD": parts.pop("password", None),
        "HOST": parts.pop("host", None),
        "PORT": parts.pop("port", None),
        "OPTIONS": {**parts, "pool": {"min_size": 0, "max_size": 12}},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Employee"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = None

LANGUAGE_CODE = ENV.language
LANGUAGES = [("es", _("Español")), ("en", _("Inglés"))]
LOCALE_PATHS = [PROJECT / "portal" / "web" / "locale"]
TIME_ZONE = "Europe/Madrid"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = ENV.data / "static"
# Third-party JS and CSS come from npm at set-up, each package under its own prefix.
STATICFILES_DIRS = [
    (f"vendor/{prefix}", PROJECT / "node_modules" / folder)
    for prefix, folder in (
        ("bootstrap", "bootstrap/dist"),
        ("bootstrap-icons", "bootstrap-icons/font"),
        ("htmx", "htmx.org/dist"),
        ("tus", "tus-js-client/dist"),
        ("atkinson", "@fontsource-variable/atkinson-hyperlegible-next"),
    )
]
MEDIA_ROOT = ENV.data / "recordings"


def recordings(env: environment.Environment) -> dict[str, object]:
    """Where recordings are kept, as STORAGES says it."""
    if env.s3_bucket is None:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.s3_bucket,
            "region_name": env.s3_region,
            "endpoint_url": env.s3_endpoint or f"https://s3.{env.s3_region}.amazonaws.com",
            # Other services have no name in the DNS for each bucket.
            "addressing_style": "path" if env.s3_endpoint else "virtual",
            "signature_version": "s3v4",
            "access_key": env.s3_key_id,
            "secret_key": env.s3_secret_key,
            "file_overwrite": False,
            # What is read of a recording beyond this waits on disk, not in memory.
            "max_memory_size": 8 * 1024 * 1024,
            # A player that outlives its address asks for another (conversations/player.js).
            "querystring_expire": 15 * 60,
        },
    }


STORAGES = {
    "default": recordings(ENV),
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if ENV.smtp_host
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = ENV.data / "mail"
EMAIL_HOST = ENV.smtp_host or ""
EMAIL_PORT = ENV.smtp_port
EMAIL_HOST_USER = ENV.smtp_user
EMAIL_HOST_PASSWORD = ENV.smtp_password
EMAIL_USE_TLS = bool(ENV.smtp_host)
DEFAULT_FROM_EMAIL = ENV.mail_from

CACHES = {
    # allauth's rate limits count across processes, so they live in the one shared store.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
    }
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.secure else None
SECURE_HSTS_SECONDS = 31536000 if ENV.secure else 0
SESSION_COOKIE_SECURE = ENV.secure
CSRF_COOKIE_SECURE = ENV.secure
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"


def content_security_policy(env: environment.Environment) -> dict[str, object]:
    return {
        "DIRECTIVES": {
            "default-src": ["'self'"],
            "img-src": ["'self'", "data:"],
            "media-src": ["'self'", "blob:", *([env.s3_origin] if env.s3_origin else [])],
            "object-src": ["'none'"],
            "base-uri": ["'none'"],
            "form-action": ["'self'"],
            "frame-ancestors": ["'none'"],
        }
    }


CONTENT_SECURITY_POLICY = content_security_policy(ENV)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # It says something at every start and every quarter of a minute, in every process.
        "procrastinate": {"level": "WARNING"},
        # They say every request, with its address.
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "openai": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
        # Its warnings carry the names of files, which name people.
        "zipstream": {"level": "CRITICAL"},
    },
}
