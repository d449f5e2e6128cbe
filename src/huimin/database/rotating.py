"""Encryption keys change while the system runs: a new key, everything re-encrypted with it, the old one retired (SEC-04).

in    the instance's secrets file; every sealed column of every table; every sealed file
out   the same plain values under the newest key; counts

    add_key ──► rotate (any number of times, by pieces; killed anywhere it goes on) ──► retire_key

Always true: a value is replaced only if it is still the one that was read, so that nothing written meanwhile is lost;
the lookup hashes stay as they are; the change log has nothing to say of it, since it never held encrypted columns; a
key that any value still needs is not retired. Processes that run see the new key at their next use of the ring.
Limits: the lookup key does not change by this; a process started with HUIMIN_KEYS in its environment must be restarted
between `add` and `rotate`.
"""

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.db import transaction

from huimin.database.bulk import copy_rows, fetch, run
from huimin.database.personal import IMPORT_FILES, PAYLOAD, PURPOSES, import_purpose, keyring
from huimin.database.security import our_tables
from huimin.database.tables import SealedField, Table
from huimin.kernel.errors import Refusal

_DB = "maintenance"
_PIECE = 5_000
_KEY_ID_BYTE = 1  # of a stored value: suite, key id, nonce, ciphertext
_KEYS_MAX = 255


class KeyInUse(Refusal):
    """The key cannot be taken away."""


def sealed_columns() -> Iterator[tuple[type[Table], str, str]]:
    """Every sealed column: its table, its name, its purpose."""
    for model in our_tables():
        for field in model._meta.fields:
            if isinstance(field, SealedField):
                purpose = field.column.removesuffix("_enc")
                assert purpose in PURPOSES, f"{model._meta.db_table}.{field.column} is named after no purpose"
                yield model, field.column, purpose


def sealed_files() -> Iterator[tuple[Path, str]]:
    """Files that hold people's facts, encrypted whole, each with its purpose: snapshots, scans of papers, printed papers, sent tables."""
    home = Path(settings.HOME)
    for path in chain.from_iterable(
        home.glob(f"{folder}/*.bin") for folder in ("snapshots", "attachments", "printed/*")
    ):
        yield path, PAYLOAD
    for kind in IMPORT_FILES:
        for path in home.glob(f"imports/*.{kind}"):
            yield path, import_purpose(int(path.stem), kind)


def keys_in_use() -> Counter[int]:
    """Key id → how many values and files are encrypted with it."""
    found: Counter[int] = Counter()
    for model, column, _ in sealed_columns():
        statement = (
            f'SELECT get_byte("{column}", {_KEY_ID_BYTE}), count(*) FROM "{model._meta.db_table}"'  # noqa: S608
            f' WHERE "{column}" IS NOT NULL GROUP BY 1'
        )
        found.update(dict(fetch(statement, using=_DB)))
    found.update(key for path, _ in sealed_files() if (key := _key_of(path)))
    return found


def add_key() -> int:
    """A new key in the secrets file, used for everything written from now on; returns its id."""
    known = _file_keys()
    number = max(known) + 1
    if number > _KEYS_MAX:
        raise KeyInUse("密钥编号已用完", why=f"最多 {_KEYS_MAX} 个", remedy="请先停用不再使用的旧密钥")
    _write_keys(known | {number: secrets.token_hex(32)})
    return number


def rotate() -> int:
    """Re-encrypt with the newest key whatever is under an older one; returns how many values and files."""
    newest = max(keyring().keys)
    done = sum(_rotate_column(model, column, purpose, newest) for model, column, purpose in sealed_columns())
    return done + sum(_rotate_file(*file) for file in sealed_files() if _key_of(file[0]) not in (newest, 0))


def retire_key(number: int) -> None:
    """Take an old key out of the ring. Refused when it is the newest, or when anything still needs it."""
    known = _file_keys()
    if number not in known:
        raise KeyInUse(f"没有 {number} 号密钥", remedy="请用 ./huimin keys status 核对")
    if number == max(known):
        raise KeyInUse("最新的密钥不能停用", why="新写入的数据都用它加密", remedy="请先 ./huimin keys add")
    if in_use := keys_in_use()[number]:
        raise KeyInUse(
            f"{number} 号密钥还不能停用", why=f"还有 {in_use:,} 个值用它加密", remedy="请先执行 ./huimin keys rotate"
        )
    _write_keys({each: key for each, key in known.items() if each != number})


def _rotate_column(model: type[Table], column: str, purpose: str, newest: int) -> int:
    table, key = model._meta.db_table, model._meta.pk.column
    done, last = 0, 0
    ring = keyring()
    while True:
        rows = fetch(
            f'SELECT "{key}", "{column}" FROM "{table}" WHERE "{key}" > %s AND "{column}" IS NOT NULL'  # noqa: S608
            f' AND get_byte("{column}", {_KEY_ID_BYTE}) <> %s ORDER BY "{key}" LIMIT {_PIECE}',
            [last, newest],
            using=_DB,
        )
        if not rows:
            return done
        old = [bytes(value) for _, value in rows]
        new = ring.encrypt_many([ring.decrypt(value, purpose) for value in old], purpose)
        numbers = [number for number, _ in rows]
        with transaction.atomic(using=_DB):
            copy_rows(
                "rotated", [("id", "int8"), ("old", "bytea"), ("new", "bytea")],
                zip(numbers, old, new, strict=True), using=_DB,
            )  # fmt: skip
            done += run(
                f'UPDATE "{table}" t SET "{column}" = r.new FROM rotated r'  # noqa: S608
                f' WHERE t."{key}" = r.id AND t."{column}" = r.old',
                using=_DB,
            )
        last = numbers[-1]


def _key_of(path: Path) -> int:
    """The key a file is under; 0 when it was done with and removed meanwhile."""
    try:
        with path.open("rb") as file:
            return file.read(2)[_KEY_ID_BYTE]
    except FileNotFoundError:
        return 0


def _rotate_file(path: Path, purpose: str) -> int:
    """1; 0 when the file was removed or written anew meanwhile, which is done with the newest key anyway."""
    ring, part = keyring(), path.with_suffix(".rotating")
    try:
        before = path.stat()
        part.write_bytes(ring.encrypt_bytes(ring.decrypt_bytes(path.read_bytes(), purpose), purpose))
        if (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns):
            part.replace(path)
            return 1
    except FileNotFoundError:
        pass
    part.unlink(missing_ok=True)
    return 0


def _file_keys() -> dict[int, str]:
    if not settings.KEYS_FILE:
        raise KeyInUse(
            "密钥不在本机的密钥文件里",
            why="HUIMIN_KEYS 由环境给出",
            remedy="请在给出环境的地方增减密钥，重启后再执行 rotate",
        )
    return {number: key.hex() for number, key in keyring().keys.items()}


def _write_keys(keys: dict[int, str]) -> None:
    """The secrets file with another line of keys; whole or not at all."""
    path = Path(settings.KEYS_FILE)
    line = "HUIMIN_KEYS=" + ",".join(f"{number}:{key}" for number, key in sorted(keys.items()))
    lines = [line if old.startswith("HUIMIN_KEYS=") else old for old in path.read_text(encoding="utf-8").splitlines()]
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())  # a lost key is lost data
    part.replace(path)
