"""`./huimin work`: the process that takes up background work, beside the site.

The process you start watches over one that works: what is killed there (by a person, by lack of memory) is started
again a second later and takes its job up where it was. SIGTERM or Ctrl+C ends both; a job under way is left to the next.
"""

import logging
import os
import signal
import time
from contextlib import suppress
from importlib import import_module
from types import FrameType

import click

from huimin.database import instance
from huimin.database.cluster import NoDatabase

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_DAYS_ASKED = 60.0
"""How often it is looked whether a new business day has begun."""


@click.command("work", help="后台进程：做页面上发起的筛查等费时的工作")
@click.option("--once", is_flag=True, help="做完现有的就结束")
@click.option("--beside", type=int, default=0, help="这个进程结束时一同结束")
def work(once: bool, beside: int) -> None:
    _end_on_signal()
    if once:
        _take_up(once=True, beside=0)
        return
    _load()
    while _still(beside):
        child = os.fork()
        if child == 0:
            _take_up(once=False, beside=os.getppid())
            os._exit(0)
        _watch(child, beside)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _load() -> None:
    """Before the first child, so that the next is at work at once; refuses an empty instance. A server that is merely
    away is waited for."""
    with suppress(NoDatabase):
        instance.require_instance()
        instance.set_up()
        import_module("huimin.jobs.working")


def _still(beside: int) -> bool:
    return not beside or os.getppid() == beside


def _watch(child: int, beside: int) -> None:
    """Until the child ends; when we are to end, it ends first."""
    try:
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if not _still(beside):
                os.kill(child, signal.SIGTERM)
            time.sleep(0.2)
    except SystemExit:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise


def _end_on_signal() -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _take_up(*, once: bool, beside: int) -> None:
    """Work off the queue; with `once` until it is empty, else until the process `beside` is gone."""
    instance.use_instance()
    from django.db import Error, connections

    from huimin.jobs.daily import ask_for_daily_work
    from huimin.jobs.working import present, work_one
    from huimin.kernel.errors import Refusal

    log = logging.getLogger("huimin.jobs")
    announced, asked_at = False, 0.0
    while once or os.getppid() == beside:
        try:
            if not announced:
                with present():
                    announced = True
            if not asked_at or time.monotonic() - asked_at > SECONDS_BETWEEN_DAYS_ASKED:
                asked_at = time.monotonic()
                ask_for_daily_work()
            if work_one() is not None:
                continue
        except Refusal as refusal:
            log.warning("%s", refusal)
            continue
        except Error:
            log.exception("数据库连接中断，稍后再试")
            connections.close_all()
            announced = False
        except Exception:
            log.exception("后台工作出错")
            time.sleep(SECONDS_BETWEEN_LOOKS)  # the job has ended; what fails before any job is taken must not spin
            continue
        if once:
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)
