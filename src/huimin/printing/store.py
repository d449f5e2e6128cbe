"""Files of a run on disk, encrypted: HOME/printed/<run>/<village>.bin (SEC-04).

A file is written whole or not at all. `forget` removes those of a run that a newer one replaced.
"""

import hashlib
import os
import shutil
from pathlib import Path

from django.conf import settings

from huimin.database.personal import PAYLOAD, keyring
from huimin.kernel.ciphers import Unreadable
from huimin.kernel.errors import Refusal


class PaperMissing(Refusal):
    """The file is not there, or is not what was made."""


def _folder(run: int) -> Path:
    return Path(settings.HOME) / "printed" / str(run)


def keep(run: int, village: str, content: bytes) -> str:
    """The digest of what was kept."""
    path = _folder(run) / f"{village}.bin"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(keyring().encrypt_bytes(content, PAYLOAD))
    part.replace(path)
    return hashlib.sha256(content).hexdigest()


def take(run: int, village: str, sha256: str) -> bytes:
    """What was kept; PaperMissing."""
    path = _folder(run) / f"{village}.bin"
    try:
        content = keyring().decrypt_bytes(path.read_bytes(), PAYLOAD)
    except (FileNotFoundError, Unreadable) as lost:
        raise PaperMissing("这个村的文件不在或打不开", why="可能已被清理或改动", remedy="请重新制作") from lost
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PaperMissing("文件与制作时的摘要不符", why="文件被改动", remedy="请重新制作")
    return content


def forget(run: int) -> None:
    shutil.rmtree(_folder(run), ignore_errors=True)
