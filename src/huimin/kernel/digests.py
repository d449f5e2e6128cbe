"""Digests of content: SHA-256 over one canonical JSON text, so that what was signed can be named and compared."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import Any

_PIECE = 5_000


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical(content: Any) -> bytes:
    """The one UTF-8 JSON text of `content`: sorted keys, no spaces, dates as ISO, bytes as hex."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    return text.encode()


def digest(content: Any) -> str:
    """64 hex digits."""
    return hashlib.sha256(canonical(content)).hexdigest()


def digest_rows(rows: Iterable[Any]) -> str:
    """As `digest(list(rows))`, piece by piece: memory does not grow with the rows."""
    whole, left, first = hashlib.sha256(b"["), iter(rows), True
    while piece := list(islice(left, _PIECE)):
        whole.update(canonical(piece)[1:-1] if first else b"," + canonical(piece)[1:-1])
        first = False
    whole.update(b"]")
    return whole.hexdigest()


def short(digest_hex: str) -> str:
    """As pages print a digest: `7f3a…e1c0`."""
    return f"{digest_hex[:4]}…{digest_hex[-4:]}"
