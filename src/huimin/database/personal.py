"""The instance's keyring: personal values into columns and back (SEC-04). Purposes are listed here and nowhere else."""

from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings

from huimin.kernel.ciphers import Keyring, parse_keyring

ID_NUMBER = "id_number"
ACCOUNT = "account"
PHONE = "phone"
ADDRESS = "address"
PAYLOAD = "payload"
PURPOSES = (ID_NUMBER, ACCOUNT, PHONE, ADDRESS, PAYLOAD)
"""A sealed column is named after its purpose: `account_enc` holds accounts."""
IMPORT_FILES = ("file", "faults")


def import_purpose(number: int, kind: str) -> str:
    """Of the sent file of one import, or its list of faults: one cannot be read as another."""
    return f"import {number} {kind}"


def keyring() -> Keyring:
    """The ring of now: a key added to, or retired from, the instance's secrets file is seen by running processes too."""
    return _parsed(_keys_now(), settings.LOOKUP_KEY, settings.CIPHER)


_parsed = cache(parse_keyring)


def _keys_now() -> str:
    if not settings.KEYS_FILE:
        return str(settings.KEYS)
    return _keys_in(settings.KEYS_FILE, Path(settings.KEYS_FILE).stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _keys_in(path: str, _changed: int) -> str:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("HUIMIN_KEYS=") for line in lines if line.startswith("HUIMIN_KEYS="))


def sealed(text: str, purpose: str) -> tuple[bytes, bytes]:
    """(encrypted, lookup hash) for the two columns of one value."""
    ring = keyring()
    return ring.encrypt(text, purpose), ring.lookup(text, purpose)


def plain(stored: bytes | memoryview, purpose: str) -> str:
    """The plain value. Whoever shows it to a person records the look (organisation.commands.record_look)."""
    return keyring().decrypt(bytes(stored), purpose)
