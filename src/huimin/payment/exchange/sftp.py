"""SFTP to a bank, with a pinned host key; loaded when somebody transfers, since its library takes longer to load than Django (PAY-04)."""

import asyncio
import stat
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import date
from threading import Thread
from typing import Any, BinaryIO, TypeVar

import asyncssh

from huimin.payment.exchange.keys import ssh_key
from huimin.payment.exchange.routes import BLOCK, Lying, Moved, NotDelivered, finished
from huimin.payment.models import BankSetting

T = TypeVar("T")
CONNECT_SECONDS, IDLE_SECONDS = 20, 60


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
            if plain and finished(name) and "/" not in name and attrs.size is not None:
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
