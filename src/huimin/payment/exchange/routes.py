"""The two ways files go to a bank and come back: a folder both sides reach, or SFTP with a pinned host key (sftp.py) (PAY-04).

in    a setting, local streams
out   files at the bank under their final names, complete; the names, sizes and times of what lies there for us

Always true: nothing stands under its final name before it is whole (`.part`, then renamed); a transfer that was cut off
goes on where it stopped, because a file made again is the same bytes; a file of the same name and size there already is
not sent twice, one of another size is not touched; what is too large is not opened. A server that shows another host key
than the pinned one is not spoken to, and gets no key of ours.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from huimin.kernel.errors import BadInput, Refusal
from huimin.payment.exchange.signatures import BYTES_MAX, ENDING

T = TypeVar("T")
BLOCK = 256 * 1024
CONNECT_SECONDS, IDLE_SECONDS = 20, 60
ACK = ".ack"
ACK_BYTES_MAX = 1000
_UNFINISHED = (".part", ".tmp")
Moved = Callable[[int], None]


class NotDelivered(Refusal):
    """The bank could not be reached, or did not take the file."""


@dataclass(frozen=True)
class Lying:
    """A file that lies at the bank for us: `seen` changes when the file does."""

    name: str
    size: int
    seen: str


class Route(Protocol):
    """What both ways can do; into a folder we write at once (payment.commands.sending)."""

    def lying(self) -> list[Lying]: ...

    def get(self, lying: Lying, sink: BinaryIO, moved: Moved) -> None: ...

    def get_small(self, name: str, bytes_max: int) -> bytes | None: ...


class FolderRoute:
    """A folder on this machine; what lies there for us is whatever is a plain file and not somebody's unfinished work."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox

    def lying(self) -> list[Lying]:
        found = []
        for entry in sorted(os.scandir(self.inbox), key=lambda each: each.name) if self.inbox.is_dir() else ():
            state = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(state.st_mode) and finished(entry.name):
                found.append(Lying(entry.name, state.st_size, f"{state.st_size}:{state.st_mtime_ns}"))
        return found

    def get(self, lying: Lying, sink: BinaryIO, moved: Moved) -> None:
        with (self.inbox / lying.name).open("rb") as source:
            pump(source, sink, lying.size, moved)

    def get_small(self, name: str, bytes_max: int) -> bytes | None:
        path = self.inbox / name
        if not path.is_file() or path.is_symlink() or path.stat().st_size > bytes_max:
            return None
        return path.read_bytes()


def finished(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_UNFINISHED)


def pump(source: BinaryIO, sink: BinaryIO, size: int, moved: Moved) -> None:
    done = 0
    while done < size and (block := source.read(min(BLOCK, size - done))):
        sink.write(block)
        done += len(block)
        moved(done)


def answers_of(route: Route) -> Iterator[tuple[Lying, Callable[[], bytes | None]]]:
    """What lies there as answers, each with how to get its signature; signatures and acknowledgements are not answers."""
    for lying in route.lying():
        if not lying.name.endswith((ENDING, ACK)):
            yield lying, lambda name=lying.name: route.get_small(name + ENDING, BYTES_MAX)


def read_ack(told: bytes | None, name: str) -> str | None:
    """The digest the bank says it received of `name`: one line, `SHA256 NAME`. None when there is nothing yet."""
    if told is None:
        return None
    parts = told[:ACK_BYTES_MAX].decode("utf-8", "replace").split()
    if len(parts) != 2 or parts[1] != name or len(parts[0]) != 64:
        raise BadInput("收妥回执读不出来", where=f"{name}{ACK}", remedy="请与银行核对")
    return parts[0]
