"""The private server: as root and not, started once, found again after a crash, on PostgreSQL 15 too (issue 2, 1 and 2)."""

import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from huimin.database.cluster import Cluster, NoDatabase, _may_enter, _parts, wheel_programs

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
PROGRAMS = [wheel_programs(), *([DEBIAN_15] if (DEBIAN_15 / "initdb").exists() else [])]


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="huimin-cluster-", dir="/var/tmp") as folder:
        yield Path(folder) / "postgres"


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.parent.name)
def server(home: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    cluster = Cluster(home, request.param, durable=False)
    yield cluster
    cluster.remove()


def value(cluster: Cluster, query: str) -> object:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def run(cluster: Cluster, statement: str) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def test_starting_again_finds_the_server_that_runs(server: Cluster) -> None:
    assert not server.running
    first = server.start()
    pid = server._running_pid()
    assert server.start() == first and server._running_pid() == pid and server.running


def test_it_listens_on_this_machine_only_and_sorts_by_code_point(server: Cluster) -> None:
    server.start()
    assert value(server, "SHOW listen_addresses") == "127.0.0.1"
    assert value(server, "SHOW unix_socket_directories") == ""
    assert value(server, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"
    assert int(str(value(server, "SHOW server_version_num"))) >= 150000


def test_what_was_committed_survives_a_kill(server: Cluster) -> None:
    """PostgreSQL itself killed as by a power cut; the next start recovers (PAY-03, issue 2, 9)."""
    server.durable = True
    server.start()
    run(server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS i")
    address = server.url("postgres")
    for _ in range(2):
        server.kill()
        assert not server.running
        assert server.start() == address, "the site and the worker find it where it was"
        assert value(server, "SELECT count(*) FROM kept") == 1000


def test_who_still_works_for_a_killed_server_does_not_hold_up_the_next(server: Cluster) -> None:
    """A process in the middle of a long query does not notice by itself that its server is gone, and keeps its memory."""
    server.start()
    ended: list[type[Exception]] = []

    def work() -> None:
        try:
            run(server, "SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000000000) b")
        except psycopg.Error as error:
            ended.append(type(error))

    at_work = threading.Thread(target=work)
    at_work.start()
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM generate%'"
    while value(server, asked) != 1:
        time.sleep(0.05)
    server.kill()
    server.start()
    assert value(server, "SELECT 1") == 1
    at_work.join(20)
    assert ended == [psycopg.OperationalError]


def test_a_port_somebody_else_took_is_left_to_him(server: Cluster) -> None:
    server.start()
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server._port()))
        other.listen()
        server.start()
        assert server._port() != other.getsockname()[1] and value(server, "SELECT 1") == 1


def test_a_stale_pid_file_is_passed_over(server: Cluster) -> None:
    server.start()
    server.kill()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not server.running, "that process is this test"
    # PostgreSQL itself looks at the number too; a machine that rebooted has no such process.
    pid_file.write_text("\n".join(["999999", *lines[1:]]) + "\n")
    server.start()
    assert value(server, "SELECT 1") == 1


def test_stopping_twice_is_stopping_once(server: Cluster) -> None:
    server.start()
    server.stop()
    server.stop()
    assert not server.running
    server.start()
    assert value(server, "SELECT 1") == 1


def test_the_password_is_needed_and_readable_by_the_owner_only(server: Cluster) -> None:
    server.start()
    secret = server.home / "superuser-password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    address = server.url("postgres")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address.replace(secret.read_text(), "guess"), connect_timeout=5)


def test_two_commands_at_once_start_one_server(home: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from huimin.database.cluster import *\n"
        "c = Cluster(Path(sys.argv[1]), wheel_programs(), durable=False); print(c.start(), c._running_pid())"
    )
    command = [sys.executable, "-c", script, str(home)]
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"), "PATH": os.environ["PATH"]}
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    answers = {process.communicate(timeout=90)[0] for process in both}
    cluster = Cluster(home, wheel_programs(), durable=False)
    try:
        assert len(answers) == 1 and all(process.returncode == 0 for process in both)
        assert value(cluster, "SELECT 1") == 1
    finally:
        cluster.remove()


def test_a_damaged_folder_is_told_in_chinese(home: Path) -> None:
    cluster = Cluster(home, wheel_programs(), durable=False)
    cluster.start()
    cluster.stop()
    (cluster.data / "postgresql.conf").write_text("no such setting = 1\n")
    with pytest.raises(NoDatabase, match="数据库没有启动"):
        cluster.start()
    cluster.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_starts_it_also_from_folders_that_nobody_else_may_enter() -> None:
    """A home and programs under /root: the server's user can reach neither."""
    with tempfile.TemporaryDirectory(prefix="huimin-closed-", dir="/var/tmp") as folder:
        closed = Path(folder)
        closed.chmod(0o700)
        assert not _may_enter(closed, pwd.getpwnam("nobody"))
        site = wheel_programs().parents[2]
        for part in _parts(wheel_programs()):
            shutil.copytree(part, closed / "site" / part.relative_to(site), symlinks=True)
        programs = closed / "site" / wheel_programs().relative_to(site)
        cluster = Cluster(closed / "home" / "postgres", programs, durable=False)
        cluster.start()
        try:
            assert value(cluster, "SELECT 1") == 1
            assert not cluster.data.is_relative_to(closed)
            owner = Path(f"/proc/{cluster._running_pid()}").stat().st_uid
            assert owner == pwd.getpwnam("nobody").pw_uid
            shutil.rmtree(cluster.home)
            again = Cluster(cluster.home, cluster.programs, durable=False)
            again.start()
            assert value(again, "SELECT 1") == 1, "the data of a home that was deleted are set aside"
            assert again.data.with_name("data.left").exists()
        finally:
            cluster.remove()
        assert not cluster.data.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root puts data outside its home")
def test_a_folder_that_somebody_else_prepared_is_refused() -> None:
    with tempfile.TemporaryDirectory(prefix="huimin-closed-", dir="/var/tmp") as folder:
        cluster = Cluster(Path(folder) / "home", wheel_programs(), durable=False)
        assert not cluster.data.is_relative_to(folder)
        cluster.data.parent.mkdir()
        os.chown(cluster.data.parent, 65534, 65534)
        try:
            with pytest.raises(NoDatabase, match="不属于本用户"):
                cluster.start()
        finally:
            cluster.remove()


def test_an_ordinary_user_starts_it_too(home: Path) -> None:
    """As whoever runs this; when that is root, a forked process becomes `nobody` first."""
    if os.geteuid() != 0:
        cluster = Cluster(home, wheel_programs(), durable=False)
        cluster.start()
        assert value(cluster, "SELECT 1") == 1
        cluster.remove()
        return
    user = pwd.getpwnam("nobody")
    os.chown(home.parent, user.pw_uid, user.pw_gid)
    programs = Cluster(home.with_name("programs"), wheel_programs())._reachable_programs()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            cluster = Cluster(home, programs, durable=False)
            cluster.start()
            status = 0 if value(cluster, "SELECT 1") == 1 and cluster.data.is_relative_to(home) else 2
            cluster.remove()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
