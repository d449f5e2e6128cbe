"""Settings of an instance; every secret and address comes from the environment (huimin.database.instance fills it).

HUIMIN_DB_HOST, _PORT, _NAME           where PostgreSQL is
HUIMIN_OWNER_PASSWORD, _APP_PASSWORD, _MAINTENANCE_PASSWORD    of the three roles
HUIMIN_SECRET_KEY                      sessions and forms
HUIMIN_KEYS, HUIMIN_LOOKUP_KEY         encryption of columns (kernel.ciphers), HUIMIN_CIPHER aes or sm
HUIMIN_KEYS_FILE                       where HUIMIN_KEYS was read from, when that is a file that may grow
HUIMIN_SEAL_KEY                        seals of the change log
HUIMIN_HOME                            files outside the database: keys, chain heads, snapshots, bank files
HUIMIN_HOSTS                           comma separated host names the site answers to
HUIMIN_PLAIN_HTTP=1                    only for a demonstration on this machine: cookies also without TLS
HUIMIN_DEMO=1                          every page says that its people are invented
"""

import os
from pathlib import Path

from csp.constants import NONE, SELF

ROOT = Path(__file__).resolve().parents[3]
ENV = os.environ
HOME = Path(ENV.get("HUIMIN_HOME", ROOT / "var"))

SECRET_KEY = ENV.get("HUIMIN_SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = ENV.get("HUIMIN_HOSTS", "127.0.0.1,localhost").split(",")
DEMO = ENV.get("HUIMIN_DEMO") == "1"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "axes",
    "csp",
    "huimin.audit",
    "huimin.divisions",
    "huimin.organisation",
    "huimin.calendars",
    "huimin.jobs",
    "huimin.registry",
    "huimin.kinship",
    "huimin.importing",
    "huimin.policy",
    "huimin.processes",
    "huimin.capacity",
    "huimin.screening",
    "huimin.notices",
    "huimin.ledger",
    "huimin.funds",
    "huimin.casework",
    "huimin.cases",
    "huimin.meetings",
    "huimin.telling",
    "huimin.fieldwork",
    "huimin.visits",
    "huimin.samples",
    "huimin.agentbanks",
    "huimin.printing",
    "huimin.appeals",
    "huimin.rechecks",
    "huimin.rectification",
    "huimin.payment",
    "huimin.comparison",
    "huimin.archives",
    "huimin.duplicates",
    "huimin.workbench",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "huimin.workbench.middleware.Desk",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "huimin.urls"
WSGI_APPLICATION = "huimin.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "huimin.workbench.context.desk",
            ],
        },
    }
]


def _database(role: str, password: str) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": ENV.get("HUIMIN_DB_HOST", "127.0.0.1"),
        "PORT": ENV.get("HUIMIN_DB_PORT", "5432"),
        "NAME": ENV.get("HUIMIN_DB_NAME", "huimin"),
        "USER": role,
        "PASSWORD": ENV.get(password, ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    }


# Three roles: the application queries under row-level security, the owner migrates, maintenance crosses scopes.
DATABASES = {
    "default": _database("huimin_app", "HUIMIN_APP_PASSWORD"),
    "owner": _database("huimin_owner", "HUIMIN_OWNER_PASSWORD"),
    "maintenance": _database("huimin_maintenance", "HUIMIN_MAINTENANCE_PASSWORD"),
}

AUTH_USER_MODEL = "organisation.Account"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"

# SEC-08: five wrong passwords lock the account from that address for fifteen minutes; half an hour idle signs out.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "huimin.workbench.signin.locked_out"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
SESSION_COOKIE_AGE = 1800
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

PLAIN_HTTP = ENV.get("HUIMIN_PLAIN_HTTP") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not PLAIN_HTTP
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not PLAIN_HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.get("HUIMIN_BEHIND_PROXY") == "1" else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i"

STATIC_URL = "/static/"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a survey form of thirty people
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [
    ("npm/govuk", ROOT / "node_modules/govuk-frontend/dist/govuk"),
    ("npm/moj", ROOT / "node_modules/@ministryofjustice/frontend/moj"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

FILE_UPLOAD_HANDLERS = [
    "huimin.workbench.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

KEYS_FILE = ENV.get("HUIMIN_KEYS_FILE", "")
KEYS, LOOKUP_KEY, CIPHER = ENV.get("HUIMIN_KEYS", ""), ENV.get("HUIMIN_LOOKUP_KEY", ""), ENV.get("HUIMIN_CIPHER", "aes")
SEAL_KEY = ENV.get("HUIMIN_SEAL_KEY", "")
POLICY_FOLDER = ROOT / "policy"
DIVISIONS_FILE = ROOT / "data" / "divisions.csv"
BANK_FORMATS_FOLDER = POLICY_FOLDER / "banks"
BATCH_FORMAT_FILE = BANK_FORMATS_FOLDER / "rural-bank-batch.yaml"
