"""The instance's keyring: personal values into columns and back (SEC-04). Purposes are listed here and nowhere else."""

from functools import cache

from django.conf import settings

from huimin.kernel.ciphers import Keyring, parse_keyring

ID_NUMBER = "id_number"
ACCOUNT = "account"
PHONE = "phone"
ADDRESS = "address"
PAYLOAD = "payload"


@cache
def keyring() -> Keyring:
    return parse_keyring(settings.KEYS, settings.LOOKUP_KEY, settings.CIPHER)


def sealed(text: str, purpose: str) -> tuple[bytes, bytes]:
    """(encrypted, lookup hash) for the two columns of one value."""
    ring = keyring()
    return ring.encrypt(text, purpose), ring.lookup(text, purpose)


def plain(stored: bytes | memoryview, purpose: str) -> str:
    """The plain value. Whoever shows it to a person records the look (organisation.commands.record_look)."""
    return keyring().decrypt(bytes(stored), purpose)
