"""The two ways files go to a bank and come back: a folder both sides reach, or SFTP with a pinned host key (PAY-04).

in    a setting, local streams
out   files at the bank under their final names, complete; the names, sizes and times of what lies there for us

Always true: nothing stands under its final name before it is whole (`.part`, then renamed); a transfer that was cut off
goes on where it stopped, because a file made again is the same bytes; a file of the same name and size there already is
not sent twice, one of another size is not touched; what is too large is not opened. A server that shows another host key
than the pinned one is not spoken to, and gets no key of ours.
"""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, Protocol, TypeVar

import asyncssh

from huimin.kernel.errors import BadInput, Refusal
from huimin.payment.exchange.keys import ssh_key
from huimin.payment.exchange.signatures import BYTES_MAX, ENDING
from huimin.payment.models import BankSetting

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
            if stat.S_ISREG(state.st_mode) and _finished(entry.name):
                found.append(Lying(entry.name, state.st_size, f"{state.st_size}:{state.st_mtime_ns}"))
        return found

    def get(self, lying: Lying, sink: BinaryIO, moved: Moved) -> None:
        with (self.inbox / lying.name).open("rb") as source:
            _pump(source, sink, lying.size, moved)

    def get_small(self, name: str, bytes_max: int) -> bytes | None:
        path = self.inbox / name
        if not path.is_file() or path.is_symlink() or path.stat().st_size > bytes_max:
            return None
        return path.read_bytes()


def _finished(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_UNFINISHED)


def _pump(source: BinaryIO, sink: BinaryIO, size: int, moved: Moved) -> None:
    done = 0
    while done < size and (block := source.read(min(BLOCK, size - done))):
        sink.write(block)
        done += len(block)
        moved(done)


class SftpRoute:
    """One connection, opened once for all files of a round; see `connected`."""

    def __init__(self, setting: BankSetting, client: asyncssh.SFTPClient, loop: asyncio.AbstractEventLoop) -> None:
        self.out, self.into = setting.folder_out or ".", setting.folder_in or "."
        self.client, self.loop = client, loop

    def _run(self, work: Awaitable[T]) -> T:
        """Every wait ends: a bank that says nothing for a minute is a bank that could not be reached."""
        try:
            return _wait(self.loop, asyncio.wait_for(work, IDLE_SECONDS))
        except asyncssh.SFTPNoSuchFile:
            raise
        except (asyncssh.Error, OSError, TimeoutError) as wrong:
            raise _not_delivered(wrong) from wrong

    def put(self, name: str, source: BinaryIO, size: int, moved: Moved) -> None:
        final, part = f"{self.out}/{name}", f"{self.out}/{name}.part"
        if (there := self._size(final)) is not None:
            if there == size:
                moved(size)
                return
            raise NotDelivered(
                f"银行那边已有同名文件，{there} 字节", why=f"要送的是 {size} 字节", remedy="请与银行核对"
            )
        begun = self._size(part) or 0
        begun = begun if begun <= size else 0
        source.seek(begun)
        file = self._run(self.client.open(part, "r+b" if begun else "wb"))
        try:
            at = begun
            while block := source.read(BLOCK):
                self._run(file.write(block, at))
                at += len(block)
                moved(at)
        finally:
            self._run(file.close())
        if (arrived := self._size(part)) != size:
            raise NotDelivered(f"送到 {arrived} 字节，应为 {size} 字节", remedy="稍后自动再送")
        self._run(self.client.posix_rename(part, final))

    def put_small(self, name: str, data: bytes) -> None:
        final, part = f"{self.out}/{name}", f"{self.out}/{name}.part"
        file = self._run(self.client.open(part, "wb"))
        try:
            self._run(file.write(data, 0))
        finally:
            self._run(file.close())
        self._run(self.client.posix_rename(part, final))

    def lying(self) -> list[Lying]:
        found = []
        for entry in self._run(self.client.readdir(self.into)):
            name, attrs = str(entry.filename), entry.attrs
            plain = attrs.permissions is None or stat.S_ISREG(attrs.permissions)
            if plain and _finished(name) and "/" not in name and attrs.size is not None:
                found.append(Lying(name, attrs.size, f"{attrs.size}:{attrs.mtime or 0}"))
        return sorted(found, key=lambda each: each.name)

    def get(self, lying: Lying, sink: BinaryIO, moved: Moved) -> None:
        file = self._run(self.client.open(f"{self.into}/{lying.name}", "rb"))
        try:
            at = 0
            while at < lying.size and (block := self._run(file.read(min(BLOCK, lying.size - at), at))):
                sink.write(block)
                at += len(block)
                moved(at)
        finally:
            self._run(file.close())

    def get_small(self, name: str, bytes_max: int) -> bytes | None:
        path = f"{self.into}/{name}"
        size = self._size(path)
        if size is None or size > bytes_max:
            return None
        file = self._run(self.client.open(path, "rb"))
        try:
            return bytes(self._run(file.read(bytes_max, 0)))
        finally:
            self._run(file.close())

    def _size(self, path: str) -> int | None:
        try:
            return self._run(self.client.lstat(path)).size
        except asyncssh.SFTPNoSuchFile:
            return None


@contextmanager
def connected(setting: BankSetting, on: date) -> Iterator[SftpRoute]:
    """A route to the bank's server. NotDelivered when it cannot be reached, shows another host key, or refuses ours."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)  # of its own: whoever calls may be inside another loop
    thread.start()
    connection: Any = None
    try:
        try:
            connection, client = _wait(loop, asyncio.wait_for(_connect(setting, on), CONNECT_SECONDS))
        except asyncssh.HostKeyNotVerifiable as wrong:
            raise NotDelivered(
                "银行服务器的公钥与约定的不同",
                why="可能接到了别的服务器",
                remedy="没有传送任何内容；请向银行核实，换公钥要两人复核",
            ) from wrong
        except asyncssh.PermissionDenied as wrong:
            raise NotDelivered("银行服务器不认我们的登录密钥", remedy="请与银行核对登记的公钥和用户名") from wrong
        except (asyncssh.Error, OSError, TimeoutError) as wrong:
            raise _not_delivered(wrong) from wrong
        yield SftpRoute(setting, client, loop)
    finally:
        if connection is not None:
            loop.call_soon_threadsafe(connection.abort)
            _wait(loop, connection.wait_closed())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _wait(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """What the loop's thread came to, or what it raised."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()


async def _connect(setting: BankSetting, on: date) -> tuple[Any, Any]:
    key = ssh_key(setting.bank_office_id, on)
    pinned = asyncssh.import_public_key(setting.host_key)
    connection = await asyncssh.connect(
        setting.host, setting.port, username=setting.username, client_keys=[asyncssh.import_private_key(key.private)],
        known_hosts=([pinned], [], []), server_host_key_algs=[pinned.get_algorithm()], agent_path=None, config=None,
        password=None, gss_host=None, keepalive_interval=15, login_timeout=CONNECT_SECONDS,
    )  # fmt: skip
    return connection, await connection.start_sftp_client()


def _not_delivered(wrong: BaseException) -> NotDelivered:
    words = str(wrong) or type(wrong).__name__
    return NotDelivered("与银行的连接没有成功", why=words[:120], remedy="稍后再送；接着上次的地方传，不会重复")


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
