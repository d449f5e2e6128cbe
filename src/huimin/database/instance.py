"""An instance made ready: its secrets, its PostgreSQL, its three roles, its database and tables.

in    the environment; `DATABASE_URL` of a superuser, or nothing (then a private cluster under HUIMIN_HOME)
out   the environment that huimin.settings reads; a database migrated and secured

Every step may be repeated. Secrets are made once, into `secrets.env` beside the data, and never overwritten; what the
environment already holds wins.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from huimin.database import heads
from huimin.database.cluster import Cluster, NoDatabase, wheel_programs
from huimin.database.roles import APPLICATION, MAINTENANCE, OWNER
from huimin.kernel.errors import Refusal

ROOT = Path(__file__).resolve().parents[3]
_PASSWORDS = {
    OWNER: "HUIMIN_OWNER_PASSWORD",
    APPLICATION: "HUIMIN_APP_PASSWORD",
    MAINTENANCE: "HUIMIN_MAINTENANCE_PASSWORD",
}
SUITES = ("aes", "sm")
EXTENSIONS = ("btree_gist",)
_SECRETS: dict[str, Callable[[], str]] = {
    "HUIMIN_SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "HUIMIN_KEYS": lambda: f"1:{secrets.token_hex(32)}",
    "HUIMIN_LOOKUP_KEY": lambda: secrets.token_hex(32),
    "HUIMIN_SEAL_KEY": lambda: secrets.token_hex(32),
    "HUIMIN_CIPHER": lambda: _suite(),
    **{name: lambda: secrets.token_urlsafe(24) for name in _PASSWORDS.values()},
}


def home() -> Path:
    return Path(os.environ.get("HUIMIN_HOME", ROOT / "var"))


def heads_file() -> Path:
    """The chain heads of the change log (huimin.database.heads)."""
    return home() / "seals" / "heads.jsonl"


def secrets_file() -> Path:
    """Keys and passwords of this instance, readable by its user alone."""
    return home() / "secrets.env"


def load_secrets() -> None:
    """Make what is missing in `secrets.env` and put it into the environment; two at once make one set."""
    home().mkdir(parents=True, exist_ok=True)
    descriptor = os.open(secrets_file(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line)
        missing = {name: make() for name, make in _SECRETS.items() if name not in known}
        if missing:
            file.writelines(f"{name}={value}\n" for name, value in missing.items())
            file.flush()
            os.fsync(file.fileno())  # a lost key is lost data
    _require_suite((known | missing)["HUIMIN_CIPHER"])
    if "HUIMIN_KEYS" not in os.environ:
        os.environ["HUIMIN_KEYS_FILE"] = str(secrets_file())  # so that a running process sees a key that is added
    for name, value in (known | missing).items():
        os.environ.setdefault(name, value)


class OtherCipher(Refusal):
    """The environment names another suite than the instance was made with."""


def _suite() -> str:
    named = os.environ.get("HUIMIN_CIPHER", SUITES[0])
    if named not in SUITES:
        raise OtherCipher(f"没有“{named}”这种加密", why="环境变量 HUIMIN_CIPHER", remedy="请写 aes 或 sm（国密）")
    return named


def _require_suite(kept: str) -> None:
    """Numbers are found again by hashes of the suite; under another one everybody would be registered anew."""
    named = os.environ.get("HUIMIN_CIPHER", kept)
    if named != kept:
        raise OtherCipher(
            f"环境变量 HUIMIN_CIPHER 是 {named}，这个实例用的是 {kept}",
            why="查重和查找用的摘要由它算出，换了就认不出已登记的人", remedy="请删去这个环境变量，或改回原来的值",
        )  # fmt: skip


def private_cluster() -> Cluster:
    """The cluster used when DATABASE_URL is not set; HUIMIN_PG_PROGRAMS names another folder of programs."""
    programs = os.environ.get("HUIMIN_PG_PROGRAMS")
    return Cluster(home() / "postgres", Path(programs) if programs else wheel_programs())


def external() -> bool:
    """Whether DATABASE_URL names a server that is not ours to start and stop."""
    return bool(os.environ.get("DATABASE_URL"))


def address() -> tuple[str, str, str]:
    """Host, port and database name; after `connect_settings`."""
    return os.environ["HUIMIN_DB_HOST"], os.environ["HUIMIN_DB_PORT"], os.environ["HUIMIN_DB_NAME"]


class NothingThere(Refusal):
    """The server answers and holds no database of ours."""


def use_instance() -> None:
    """Start what must run and set Django up on it; for commands that need data: refuses where there is none, makes nothing."""
    _require_server()
    set_up()
    from django.db import connection

    if connection.connection is None:
        _require_tables()


def require_instance() -> None:
    """Raises NothingThere when there is no database or no table of ours in it, NoDatabase when the server is away."""
    _require_server()
    connect_settings()
    _require_tables()


def _require_server() -> None:
    if not external() and not private_cluster().home.exists():
        raise _nothing_there()


def _require_tables() -> None:
    host, port, name = address()
    row = None
    try:
        with psycopg.connect(
            host=host, port=port, dbname=name, user=APPLICATION, password=os.environ[_PASSWORDS[APPLICATION]],
            connect_timeout=10,
        ) as connection:  # fmt: skip
            row = connection.execute("SELECT to_regclass('organisation_appointment') IS NOT NULL").fetchone()
    except psycopg.OperationalError as cause:
        if not any(words in str(cause) for words in ("does not exist", "authentication failed")):
            raise NoDatabase("连不上数据库", why=f"{host}:{port}", remedy="请检查数据库是否启动") from cause
    if row is None or not row[0]:
        raise _nothing_there()


def _nothing_there() -> NothingThere:
    remedy = "请先执行 make demo（演示数据），或 ./huimin db up（空的实例）"
    return NothingThere("这个实例还没有数据库", why=f"实例在 {home()}", remedy=remedy)


def set_up() -> None:
    """Django, pointed at the server where it is now."""
    connect_settings()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huimin.settings.base")
    import django

    django.setup()
    from django.db import connections

    for each in connections.all():
        each.settings_dict.update(zip(("HOST", "PORT"), address(), strict=False))


def bring_up() -> Iterator[tuple[str, str]]:
    """Every step from nothing to a database in service, as (step, outcome); may be repeated."""
    load_secrets()
    yield "密钥", str(home() / "secrets.env")
    url = connect_settings()
    yield "服务器", ":".join(address()[:2])
    made = make_roles_and_database(url)
    yield "角色与数据库", f"{address()[2]}（{'新建' if made else '已有'}）"
    set_up()
    yield "表与行级权限", f"{upgrade()} 张表"


def remember_database(name: str) -> None:
    """Commands that name no database use this one from now on: the last demonstration's."""
    (home() / "current-database").write_text(name, encoding="utf-8")


def remembered_database() -> str | None:
    path = home() / "current-database"
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def _remembered() -> str:
    return remembered_database() or "huimin"


def connect_settings() -> str:
    """Start what must run, point the settings at it, and return the superuser's URL of the instance's database."""
    load_secrets()
    url = os.environ.get("DATABASE_URL")
    if url:
        parts = urlsplit(url)
        name = os.environ.setdefault("HUIMIN_DB_NAME", unquote(parts.path.lstrip("/")) or _remembered())
        url = urlunsplit(parts._replace(path="/" + name))
    else:
        cluster = private_cluster()
        cluster.start()
        url = cluster.url(os.environ.setdefault("HUIMIN_DB_NAME", _remembered()))
    parts = urlsplit(url)
    os.environ["HUIMIN_DB_HOST"] = parts.hostname or "127.0.0.1"
    os.environ["HUIMIN_DB_PORT"] = str(parts.port or 5432)
    return url


def _maintenance_url(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def make_roles_and_database(url: str) -> bool:
    """The three roles, and the database in C.UTF-8 owned by the owner role; repeatable. Whether it was made now."""
    name = unquote(urlsplit(url).path.lstrip("/"))
    with _superuser(_maintenance_url(url)) as connection:
        for role, variable in _PASSWORDS.items():
            _make_role(connection, role, os.environ[variable])
        missing = not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if missing:
            heads.retire(heads_file(), name, "新建数据库")
            connection.execute(
                sql.SQL(
                    "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8'"
                    " LC_CTYPE 'C.UTF-8'"
                ).format(sql.Identifier(name), sql.Identifier(OWNER))
            )
    with _superuser(url) as connection:
        _grant_entry(connection, name)
    return missing


# Nobody but the three roles enters, nobody but the owner creates, and maintenance may use what the owner will create.
_ENTRY = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {application}, {maintenance}",
    "ALTER SCHEMA public OWNER TO {owner}",
    "GRANT USAGE ON SCHEMA public TO {application}, {maintenance}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {maintenance}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {maintenance}",
)


def _grant_entry(connection: psycopg.Connection[tuple[object, ...]], database: str) -> None:
    for extension in EXTENSIONS:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    names = {"database": database, "owner": OWNER, "application": APPLICATION, "maintenance": MAINTENANCE}
    identifiers = {key: sql.Identifier(name) for key, name in names.items()}
    for statement in _ENTRY:
        connection.execute(sql.SQL(statement).format(**identifiers))


def _superuser(url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as cause:
        why = str(cause).strip().splitlines()[-1]
        raise NoDatabase("连不上数据库", why=why, remedy="请检查 DATABASE_URL 和数据库是否启动") from cause


def _make_role(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    extra = "BYPASSRLS" if role == MAINTENANCE else "NOBYPASSRLS"
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if exists else "CREATE"
    # Hashed here: a server that logs statements must not log a password.
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL(verb + " ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE " + extra + " PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(hashed)
        )
    )


def upgrade() -> int:
    """Migrate and secure as the owner; returns the number of tables secured. Django must be set up."""
    from django.core.management import call_command
    from django.db import connections

    from huimin.database import founding
    from huimin.database.security import secure

    try:
        if founding.is_empty():
            founding.found()
    except founding.NotFoundable:
        pass  # history holds more than tables: it is replayed
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    owner = connections["owner"]
    owner.ensure_connection()
    count = secure(owner.connection)
    owner.close()
    return count
