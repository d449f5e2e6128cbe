"""Encryption keys change while the system runs (SEC-04)."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as now
from django.db import connections

from huimin.audit.verifying import verify
from huimin.database import rotating
from huimin.database.bulk import fetch, run
from huimin.database.personal import keyring, plain
from huimin.database.rotating import KeyInUse, add_key, keys_in_use, retire_key, rotate, sealed_columns, sealed_files
from huimin.importing.store import file_of, forget_file, keep_file
from huimin.kernel.ciphers import Unreadable
from huimin.printing import store as printing


@pytest.fixture
def key_file(county, tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A county in mid-payment, its snapshots copied, and its keys in a file."""
    county("answered")
    shutil.copytree(Path(now.HOME) / "snapshots", tmp_path / "snapshots")
    monkeypatch.setattr(now, "HOME", str(tmp_path))
    path = tmp_path / "secrets.env"
    path.write_text(f"HUIMIN_SECRET_KEY=x\nHUIMIN_KEYS={now.KEYS}\nHUIMIN_LOOKUP_KEY={now.LOOKUP_KEY}\n")
    monkeypatch.setattr(now, "KEYS_FILE", str(path), raising=False)
    yield path


def values() -> dict[str, list[str]]:
    """Every plain value, by column, in the order of the rows."""
    found = {}
    for model, column, purpose in sealed_columns():
        table, key = model._meta.db_table, model._meta.pk.column
        rows = fetch(
            f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL ORDER BY "{key}"', using="maintenance"
        )
        found[f"{table}.{column}"] = [plain(value, purpose) for (value,) in rows]
    return found


def test_everything_is_under_the_new_key_and_nothing_else_changed(key_file: Path, monkeypatch):
    """SEC-04: added, rotated, repeated, retired; the same plain values, a log that has nothing to say."""
    keep_file(7, "姓名,证件号码".encode())
    printed = printing.keep(3, "341524100002", b"%PDF")
    before, old = values(), max(keyring().keys)
    assert sum(map(len, before.values())) > 2000
    new = add_key()
    assert new == old + 1 and max(keyring().keys) == new
    assert "HUIMIN_SECRET_KEY=x" in key_file.read_text() and key_file.stat().st_mode & 0o077 == 0
    with pytest.raises(KeyInUse, match="还不能停用"):
        retire_key(old)
    assert rotate() == sum(map(len, before.values())) + len(list(sealed_files()))
    assert set(keys_in_use()) == {new}
    assert values() == before and file_of(7) == "姓名,证件号码".encode()
    assert printing.take(3, "341524100002", printed) == b"%PDF"
    assert verify().ok
    seen = list(sealed_files())
    forget_file(7)
    monkeypatch.setattr(rotating, "sealed_files", lambda: iter(seen))
    assert rotate() == 0 and set(keys_in_use()) == {new}, "a file done with meanwhile"
    retire_key(old)
    assert set(keyring().keys) == {new} and values() == before


def test_what_is_written_while_it_rotates_is_kept(key_file: Path):
    """SEC-04: another session changes accounts under the old and the new key at the same moment."""
    add_key()
    stop, written = threading.Event(), []

    def write() -> None:
        ring = keyring()
        (row,) = fetch("SELECT id FROM registry_card ORDER BY id LIMIT 1", using="maintenance")
        number = 0
        while not stop.is_set():
            number += 1
            text = f"6299{number:012d}"
            run("UPDATE registry_card SET account_enc = %s WHERE id = %s", [ring.encrypt(text, "account"), row[0]],
                using="maintenance")  # fmt: skip
            written.append(text)
        connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        rotate()
    finally:
        stop.set()
        writer.join()
    rotate()
    (stored,) = fetch("SELECT account_enc FROM registry_card ORDER BY id LIMIT 1", using="maintenance")[0]
    assert plain(stored, "account") == written[-1]
    assert len(keys_in_use()) == 1


def test_a_key_that_is_needed_or_unknown_stays(key_file: Path):
    with pytest.raises(KeyInUse, match="没有 77 号密钥"):
        retire_key(77)
    with pytest.raises(KeyInUse, match="最新的密钥不能停用"):
        retire_key(max(keyring().keys))


def test_keys_given_by_the_environment_are_changed_there(county, monkeypatch):
    monkeypatch.setattr(now, "KEYS_FILE", "", raising=False)
    with pytest.raises(KeyInUse, match="由环境给出"):
        add_key()


def test_both_suites_read_what_the_other_wrote(key_file: Path, monkeypatch):
    """SEC-04: the suite stands in the value."""
    stored = keyring().encrypt("13812345678", "phone")
    monkeypatch.setattr(now, "CIPHER", "sm")
    assert plain(stored, "phone") == "13812345678"
    again = keyring().encrypt("13812345678", "phone")
    assert again[0] != stored[0] and plain(again, "phone") == "13812345678"
    with pytest.raises(Unreadable):
        plain(again, "address")
