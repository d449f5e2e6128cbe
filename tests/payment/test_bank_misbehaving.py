"""A bank that does everything wrong: refused whole with line and reason, or matched and the rest listed; nothing by guess (PAY-05, PAY-06)."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from huimin.demo import dates
from huimin.demo.paying import finance
from huimin.organisation.acting import reading
from huimin.payment.exchange_queries import OPEN, FileFilter, count_open
from huimin.payment.models import Batch, ExchangeFile, PaymentException
from tests.payment.banking import Story, begin, undone
from tests.stages import Stages

County = Callable[[str], str]
FORMATS = ("rural-bank-batch", "fixed-gbk", "csv-utf8", "iso20022")
REFUSED = {
    "foreign": "没有批次", "yesterday": "早于放行", "cut": "不完整", "totals": "不符|合计",
    "scientific": "应为.*|金额的写法", "encoding": "编码|不完整|完好", "signature": "签名", "huge": "超过",
}  # fmt: skip


@pytest.fixture
def sent(stages: Stages, county: County, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Story]:
    """A batch released and written in the format asked for; the bank has not run."""
    told = begin(stages, county, tmp_path, request.param)
    told.agree()
    told.release()
    yield told


@pytest.mark.parametrize("sent", FORMATS, indirect=True)
def test_PAY_05_what_is_wrong_in_itself_is_refused_whole(sent: Story) -> None:
    """Another bank's, yesterday's, cut, wrong totals, 1.2E+05, UTF-16, a bad signature, two gigabytes: nothing is posted."""
    before = sent.posted()
    book, kept = sent.home / "bank" / "book", sent.home / "bank" / "kept"
    sent.bank("books")
    shutil.copytree(book, kept)
    for way, words in REFUSED.items():
        shutil.rmtree(book)
        shutil.copytree(kept, book)
        sent.run_bank("--misbehave", way)
        sent.fetch()
        [(name, (state, error))] = [(name, told) for name, told in sent.came().items() if _lies(sent, name)]
        assert state == "refused", (way, name)
        assert re.search(words, error) and name[:10] in error, (way, error)
        assert sent.posted() == before, way
        for path in sent.inbox.iterdir():
            if not path.name.endswith(".ack"):
                path.unlink()
    shutil.rmtree(book)
    kept.rename(book)
    sent.run_bank()
    if sent.format in ("rural-bank-batch", "fixed-gbk"):
        _saved_in_another_encoding(sent)
    sent.fetch()
    assert sent.states().get("paid"), "the honest answer is taken afterwards, under the name that was refused before"
    with reading(finance()):
        left = FileFilter(state=OPEN).rows()
        assert all("990000000" in each.file_name for each in left), "only what is of no batch of ours is left to clear"
        assert count_open()[0] == len(left)


def _saved_in_another_encoding(sent: Story) -> None:
    """Opened and saved as UTF-8 on the way: the digest or the signature is wrong for that reason, and it is said."""
    [path] = [path for path in sent.inbox.iterdir() if path.suffix not in (".sig", ".ack")]
    data = path.read_bytes()
    path.write_bytes(data.decode("gb18030").encode())
    sent.fetch()
    state, error = sent.came()[path.name]
    assert state == "refused" and "是 UTF-8 编码，约定的是 GB" in error, error
    path.write_bytes(data)


def _lies(sent: Story, name: str) -> bool:
    return (sent.inbox / name).exists()


@pytest.mark.parametrize("sent", ["rural-bank-batch"], indirect=True)
def test_PAY_05_what_is_wrong_in_part_is_matched_and_the_rest_listed(stages: Stages, sent: Story) -> None:
    """Late, twice, partly, out of order, rows never sent, doubled, a cent more, another reference: each by its code."""
    for way, check in (
        ("late", _late), ("twice", _twice), ("partly", _partly), ("strangers", _strangers), ("doubled", _doubled),
        ("amount", _amount), ("reference", _reference), ("reversed", _out_of_order),
    ):  # fmt: skip
        with undone(stages, sent):
            sent.run_bank("--misbehave", way)
            if way == "late":
                _not_before_its_day(sent)
            sent.fetch(dates.RESULTS + timedelta(days=30) if way == "late" else dates.RESULTS)
            assert all(state == "taken" for name, (state, _) in sent.came().items() if _lies(sent, name)), (
                way,
                sent.came(),
            )
            check(sent)


def _not_before_its_day(sent: Story) -> None:
    """Told ahead of the day it is refused whole, and the same file is looked at again every time until the day has come."""
    before = sent.posted()
    for tries in (1, 2):
        sent.fetch(dates.RESULTS)
        with reading(finance()):
            lying = ExchangeFile.objects.get(direction="in")
        assert (lying.state, lying.tries) == ("refused", tries) and "以后" in lying.last_error, lying.last_error
        assert sent.posted() == before


def _waiting(sent: Story) -> int:
    return sent.states().get("sent", 0) + sent.states().get("unknown", 0)


def _of_kind(sent: Story, kind: str) -> list[PaymentException]:
    return [each for each in sent.exceptions() if each.kind == kind]


def _late(sent: Story) -> None:
    [late] = _of_kind(sent, "late")
    assert "前回盘" in late.reason and not sent.states().get("sent")


def _twice(sent: Story) -> None:
    with reading(finance()):
        assert Batch.objects.get(pk=sent.batch.pk).results.count() == 2
    assert not _of_kind(sent, "conflict") and not _of_kind(sent, "duplicate")


def _partly(sent: Story) -> None:
    assert sent.states()["sent"] >= sent.batch.lines_count // 2
    assert not _of_kind(sent, "unmatched")


def _strangers(sent: Story) -> None:
    [unknown] = _of_kind(sent, "unmatched")
    assert unknown.line_id is None and "没有送过" in unknown.reason


def _doubled(sent: Story) -> None:
    assert len(_of_kind(sent, "duplicate")) == 1 and not sent.states().get("sent")


def _amount(sent: Story) -> None:
    [wrong] = _of_kind(sent, "amount")
    assert "回盘" in wrong.reason and sent.states()["sent"] == 1
    sent.run_bank()
    sent.fetch()
    assert sent.states()["sent"] == 1, "answer 1 was taken already"


def _reference(sent: Story) -> None:
    """The one waiting line of the same account and amount is named; nothing is settled by it."""
    [unknown] = _of_kind(sent, "unmatched")
    first = sent.instructions()[0]
    assert (unknown.line_id, first.state) == (None, "sent") or unknown.line_id == first.line_id


def _out_of_order(sent: Story) -> None:
    """Number 9 first; number 1 with the same rows afterwards changes nothing."""
    before = sent.states()
    sent.run_bank()
    sent.fetch()
    assert sent.states() == before and not _of_kind(sent, "conflict")
    with reading(finance()):
        assert ExchangeFile.objects.filter(direction="in", state="taken").count() == 2
