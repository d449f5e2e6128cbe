"""Stages of the quarter as PostgreSQL template databases; see tests/conftest.py."""

import fcntl
import itertools
import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg
from django.db import connections
from psycopg import sql

from huimin.database import instance
from huimin.database.cluster import Cluster

PEOPLE = int(os.environ.get("HUIMIN_TEST_PEOPLE", "1000"))
"""Another number only for `make soak`: tests know their county."""
SEED = 20210701
LAST = "closed"
"""The furthest stage that tests begin from."""


def share(cluster: Cluster, home: Path, run: Path) -> None:
    """Begin from the folder in which another process of this run left all stages, or build them and leave it."""
    common = run / "built"
    with (run / "building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if common.exists():
            copy_tree(common, home)
            return
        cluster.start()
        assert cluster.data.is_relative_to(home), "the server's user may not enter the folder of this run"
        stages = Stages(cluster, home)
        stages.ensure(LAST)
        stages.close()
        cluster.stop()
        copy_tree(home, common.with_name("built.part"))
        common.with_name("built.part").rename(common)


def copy_tree(folder: Path, place: Path) -> None:
    """What is in it, with owners and rights as a server demands them of its data."""
    subprocess.run(["cp", "-a", f"{folder}/.", str(place)], check=True)


class Stages:
    """Builds a stage on first use from the one before, and clones databases from it."""

    def __init__(self, cluster: Cluster, home: Path) -> None:
        self.cluster, self.home = cluster, home
        self.numbers = itertools.count(1)
        self.reconnect()
        found = self.admin.execute("SELECT substr(datname, 7) FROM pg_database WHERE datname LIKE 'stage\\_%'")
        self.built = {name for (name,) in found}

    def fresh(self, stage: str) -> str:
        """A new database in which the county stands at `stage`, with Django pointed at it."""
        template = self.ensure(stage)
        name = f"t{next(self.numbers)}_{stage}"
        self._clone(template, name)
        self.use(name)
        return name

    def use(self, name: str) -> None:
        for alias in ("default", "owner", "maintenance"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
            connections[alias].settings_dict["PORT"] = os.environ["HUIMIN_DB_PORT"]
        os.environ["HUIMIN_DB_NAME"] = name

    def ensure(self, stage: str) -> str:
        """The template database of `stage`, built with everything before it when it is missing."""
        template = f"stage_{stage}"
        if stage in self.built:
            return template
        if stage == "blank":
            instance.make_roles_and_database(self.cluster.url(template))
            self.use(template)
            instance.upgrade()
        else:
            self._build(stage, template)
        self.use("postgres")  # a template must have no connection while it is cloned
        self.built.add(stage)
        return template

    def _build(self, stage: str, template: str) -> None:
        from huimin.demo.quarter import STEPS, County

        names = [step.name for step in STEPS]
        before = names[names.index(stage) - 1] if names.index(stage) else "blank"
        self._clone(self.ensure(before), template)
        self.use(template)
        started = time.monotonic()
        STEPS[names.index(stage)].run(County(people=PEOPLE, seed=SEED, home=self.home / "county"))
        self._keep_files(stage)
        took = time.monotonic() - started
        print(f"stage {stage}: {took:.1f} s")

    def _keep_files(self, stage: str) -> None:
        """The folder that belongs to this stage: files exchanged with the bank, and the bank's own books."""
        if (self.home / "county").exists():
            shutil.copytree(self.home / "county", self.home / f"county-{stage}", dirs_exist_ok=True)

    def files(self, stage: str, place: Path) -> Path:
        """A copy of the county's folder as it stood at `stage`."""
        self.ensure(stage)
        shutil.copytree(self.home / f"county-{stage}", place, dirs_exist_ok=True)
        return place

    def reconnect(self) -> None:
        """After the server was restarted, on another port."""
        os.environ["HUIMIN_DB_PORT"] = self.cluster.url("postgres").rsplit(":", 1)[1].split("/")[0]
        self.admin = psycopg.connect(self.cluster.url("postgres"), autocommit=True)

    def _clone(self, template: str, name: str) -> None:
        # Copying files is four times faster than the log when nothing is synced to the disk.
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self.admin.execute(clone.format(*map(sql.Identifier, (name, template))))
        for role in ("huimin_owner", "huimin_app", "huimin_maintenance"):
            self.admin.execute(
                sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                    sql.Identifier(name), sql.Identifier(role)
                )
            )

    def drop(self, name: str) -> None:
        self.use("postgres")
        self.admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        self.admin.close()
