"""Files over SFTP to a real server on loopback: pinned, resumed, confirmed; what fails says so and harms nothing (PAY-04)."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from bank_simulator.sftp import USER, serve
from huimin.demo import dates
from huimin.demo.paying import finance, releasers
from huimin.jobs.models import Job
from huimin.jobs.working import work_one
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import NotYourPost, reading
from huimin.payment.commands import request_fetching, request_sending
from huimin.payment.exchange import keys
from huimin.payment.models import ExchangeFile
from tests.payment.banking import Story, begin, office
from tests.stages import Stages

County = Callable[[str], str]


class Server:
    """The bank's server in a thread of its own."""

    def __init__(self, root: Path, authorized: str) -> None:
        self.root, self.loop = root, asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.acceptor = self._do(serve(root, root.parent / "host-key", authorized))
        key = asyncssh.read_private_key(root.parent / "host-key")
        self.host_key = key.export_public_key("openssh").decode().strip()

    @property
    def port(self) -> int:
        return int(self.acceptor.get_port())

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def break_off_after(self, count: int) -> None:
        self.acceptor.folders.cut_after, self.acceptor.folders.written = count, 0

    @property
    def written(self) -> int:
        return int(self.acceptor.folders.written)

    def close(self) -> None:
        self.acceptor.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def told(stages: Stages, county: County, tmp_path: Path) -> Iterator[tuple[Story, Server]]:
    """The funded county; a server that knows our key."""
    story = begin(stages, county, tmp_path, "rural-bank-batch")
    pair = asyncssh.generate_private_key("ssh-ed25519")
    public = pair.export_public_key("openssh").decode().strip()
    keys.add_key(office(), keys.SSH, "ed25519", dates.ADOPTED, public, pair.export_private_key("openssh").decode())
    server = Server(tmp_path / "server", public)
    story.outbox, story.inbox = server.root / "in", server.root / "out"
    yield story, server
    server.close()


def agree(story: Story, server: Server, **other: Any) -> Any:
    told = {"host": "127.0.0.1", "port": server.port, "username": USER, "host_key": server.host_key}
    return story.agree(**told | {"route": "sftp", "folder_out": "in", "folder_in": "out"} | other)


def send() -> Job:
    job = request_sending(by=releasers()[0], on=dates.RELEASED)
    work_one(job.pk)
    with reading(finance()):
        return Job.objects.get(pk=job.pk)


def test_PAY_04_a_batch_goes_over_sftp_is_cut_off_resumed_confirmed_and_answered(told: tuple[Story, Server]) -> None:
    story, server = told
    agree(story, server)
    batch = story.release()
    file = story.sent_file()
    assert (file.state, file.number, file.size_bytes > 0) == ("waiting", 1, True)
    assert not list(story.outbox.iterdir())
    server.break_off_after(700)
    job = send()
    file = story.sent_file()
    assert (file.state, file.tries) == ("failed", 1) and file.last_error and "没有送成" in job.outcome
    assert not (story.outbox / file.file_name).exists(), "nothing stands under its final name before it is whole"
    send()
    file = story.sent_file()
    assert (file.state, file.tries, file.last_error) == ("sent", 2, "")
    arrived = story.outbox / file.file_name
    assert arrived.stat().st_size == file.size_bytes
    assert hashlib.sha256(arrived.read_bytes()).hexdigest() == file.sha256 == batch.file_sha256
    story.run_bank()
    job = request_fetching(by=finance(), on=dates.RESULTS)
    work_one(job.pk)
    assert story.sent_file().state == "confirmed"
    assert story.states().get("paid")
    before = story.posted()
    work_one(request_fetching(by=finance(), on=dates.RESULTS).pk)
    assert story.posted() == before


def test_PAY_04_another_host_key_gets_nothing_and_a_foreign_file_is_refused_by_its_name(
    told: tuple[Story, Server],
) -> None:
    """A server that is not the bank's, a name that is none, who may not ask, and a setting without keys."""
    story, server = told
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
    agree(story, server, host_key=other)
    story.release()
    job = send()
    file = story.sent_file()
    assert file.state == "failed" and "公钥与约定的不同" in file.last_error and "没有连上" not in job.failure
    assert not list(story.outbox.iterdir()) and server.written == 0
    with pytest.raises(NotYourPost):
        request_sending(by=finance(), on=dates.RELEASED)
    with pytest.raises(BadInput, match="不是服务器公钥"):
        agree(story, server, host_key="AAAA", valid_from=dates.RELEASED, on=dates.RELEASED)
    work_one(request_fetching(by=finance(), on=dates.RESULTS).pk)
    with reading(finance()):
        assert not ExchangeFile.objects.filter(direction="in").exists()
