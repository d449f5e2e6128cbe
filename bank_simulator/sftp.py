"""The bank's SFTP server on this machine: one user, one key, two folders (in: orders for us, out: answers of ours).

Only loopback. A server can be told to break off after so many written bytes (`cut_after`), as lines do.
"""

import asyncio
from pathlib import Path
from typing import Any

import asyncssh

USER = "huimin"


async def serve(root: Path, host_key: Path, authorized: str, port: int = 0) -> Any:
    """A listening server (asyncssh acceptor); `authorized` are public keys, one a line."""
    for name in ("in", "out"):
        (root / name).mkdir(parents=True, exist_ok=True)
    if not host_key.exists():
        host_key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        host_key.chmod(0o600)

    class Folders(asyncssh.SFTPServer):
        """Sees its own root and nothing above it."""

        cut_after = written = 0

        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=str(root))

        def write(self, file_obj: Any, offset: int, data: bytes) -> int:
            count = super().write(file_obj, offset, data)
            Folders.written += len(data)
            if Folders.cut_after and Folders.written > Folders.cut_after:
                Folders.cut_after = 0
                self.channel.get_connection().abort()
            return count

    acceptor = await asyncssh.listen(
        "127.0.0.1", port, server_host_keys=[str(host_key)], sftp_factory=Folders, allow_scp=False,
        authorized_client_keys=asyncssh.import_authorized_keys(authorized), password_auth=False,
    )  # fmt: skip
    acceptor.folders = Folders
    return acceptor


def serve_forever(root: Path, host_key: Path, authorized: Path, port: int) -> None:
    """Until it is interrupted; prints the port."""

    async def run() -> None:
        acceptor = await serve(root, host_key, authorized.read_text(encoding="utf-8"), port)
        print(acceptor.get_port(), flush=True)
        await acceptor.wait_closed()

    asyncio.run(run())
