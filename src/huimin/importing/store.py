"""Sent files and their lists of faults, encrypted on disk while an import is under way (SEC-04).

in    bytes, or a list of faults
out   `imports/<number>.file` and `.faults` under the instance's home, readable with the instance's keys alone

A file is removed when its import is given up, or done without faults; with faults it stays for the workbook that goes back.
"""

import gzip
import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings

from huimin.database.personal import import_purpose, keyring
from huimin.importing.faults import RowFault
from huimin.kernel.errors import Refusal


class FileGone(Refusal):
    """The sent file is not kept any more."""


def keep_file(number: int, content: bytes) -> None:
    _write(number, "file", content)


def file_of(number: int) -> bytes:
    return _read(number, "file")


def keep_faults(number: int, faults: list[RowFault], left_out: list[dict[str, Any]]) -> None:
    data = {"faults": [fault.as_data() for fault in faults], "left_out": left_out}
    _write(number, "faults", gzip.compress(json.dumps(data, ensure_ascii=False).encode(), 3))


def faults_of(number: int) -> tuple[list[RowFault], list[dict[str, Any]]]:
    """(faults, rows left out); both empty when there is no list."""
    if not _path(number, "faults").exists():
        return [], []
    data = json.loads(gzip.decompress(_read(number, "faults")))
    return [RowFault(**each) for each in data["faults"]], data["left_out"]


def forget_file(number: int) -> None:
    _path(number, "file").unlink(missing_ok=True)


def has_file(number: int) -> bool:
    return _path(number, "file").exists()


def _path(number: int, kind: str) -> Path:
    return Path(settings.HOME) / "imports" / f"{number}.{kind}"


def _write(number: int, kind: str, content: bytes) -> None:
    """Whole or not at all: under another name first."""
    path = _path(number, kind)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    early = path.with_suffix(f".{kind}.{os.getpid()}")
    early.write_bytes(keyring().encrypt_bytes(content, import_purpose(number, kind)))
    early.rename(path)


def _read(number: int, kind: str) -> bytes:
    path = _path(number, kind)
    if not path.exists():
        raise FileGone("原文件已不再保存", remedy="请重新上传")
    return keyring().decrypt_bytes(path.read_bytes(), import_purpose(number, kind))
