"""What the bank answers: taken once, matched line by line, wrong files change nothing (PAY-05, PAY-06)."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.bank import answers, run_bank
from huimin.demo.paying import finance
from huimin.demo.quarter import County as Place
from huimin.kernel.bankfile import parse_file, read_format, write_file
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import take_result
from huimin.payment.models import Batch, ExchangeFile, Instruction, PaymentException
from tests.stages import PEOPLE, SEED, Stages
from tests.workbench.people import client_of

County = Callable[[str], str]


@pytest.fixture
def place(stages: Stages, county: County, tmp_path: Path) -> Place:
    """The released county, and the bank's answers to it lying in the inbox."""
    county("released")
    found = Place(people=PEOPLE, seed=SEED, home=stages.files("released", tmp_path / "county"))
    run_bank(found, dates.RELEASED)
    stages.use(_name())
    return found


def _name() -> str:
    from django.db import connections

    return str(connections["default"].settings_dict["NAME"])


def _state() -> list[tuple[object, ...]]:
    """Everything a result may touch, to prove that nothing changed."""
    with reading(finance()):
        return [
            *fetch(
                "SELECT 'i', state, count(*), sum(amount_fen)::bigint FROM payment_instruction GROUP BY 2 ORDER BY 2"
            ),
            *fetch("SELECT 'l', state, count(*), 0 FROM payment_rosterline GROUP BY 2 ORDER BY 2"),
            *fetch("SELECT 'd', state, count(*), 0 FROM payment_due GROUP BY 2 ORDER BY 2"),
            *fetch("SELECT 'v', event, count(*), 0 FROM ledger_voucher GROUP BY 2 ORDER BY 2"),
            *fetch("SELECT 'x', kind, count(*), 0 FROM payment_paymentexception GROUP BY 2 ORDER BY 2"),
            *fetch("SELECT 'f', '', count(*), 0 FROM payment_resultfile"),
        ]


def _take(path: Path, data: bytes | None = None, name: str = "", on: date = dates.RESULTS) -> object:
    return take_result(by=finance(), on=on, data=data or path.read_bytes(), file_name=name or path.name)


def _big(place: Place) -> Path:
    """The answer with the most rows."""
    return max(answers(place, "DFR_"), key=lambda path: path.stat().st_size)


def test_a_result_settles_every_line_of_its_batch(place: Place) -> None:
    """PAY-05: paid, returned and pending lines as the file says; each returned or pending one an exception."""
    path = _big(place)
    result = _take(path)
    told = parse_file(read_format(settings.BATCH_FORMAT_FILE), "payment_answer", path.read_bytes(), path.name)
    with reading(finance()):
        counted = dict(
            fetch("SELECT state, count(*) FROM payment_instruction WHERE batch_id = %s GROUP BY 1", [result.batch_id])
        )
        exceptions = PaymentException.objects.filter(result=result).count()
    assert counted.get("paid", 0) == told.header["paid_count"] > 0
    assert counted.get("returned", 0) == told.header["failed_count"]
    assert counted.get("unknown", 0) == told.header["pending_count"]
    assert exceptions == told.header["failed_count"] + told.header["pending_count"]


def test_the_same_file_again_changes_nothing(place: Place) -> None:
    """PAY-06: recognised by its content, whatever its name says."""
    path = _big(place)
    first = _take(path)
    before = _state()
    assert _take(path).pk == first.pk
    assert _state() == before


def test_only_finance_takes_results(place: Place) -> None:
    """PAY-03: the post of county finance."""
    path = _big(place)
    with pytest.raises(NotYourPost):
        take_result(
            by=actor(Post.SETTLEMENT, "341524100000"), on=dates.RESULTS, data=path.read_bytes(), file_name=path.name
        )
    with pytest.raises(NotYourPost):
        take_result(
            by=actor(Post.BANK_OPERATOR, OfficeKind.BANK), on=dates.RESULTS, data=path.read_bytes(), file_name=path.name
        )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[: len(data) // 2], "不完整"),
        (lambda data: b"", "不完整"),
        (lambda data: data.replace(b"|S|", b"|F|", 1), "校验码"),
        (lambda data: b"\xff\xff" + data, "GB18030|表头"),
        (lambda data: data + data, "校验码"),
    ],
)
def test_a_damaged_file_is_named_and_changes_nothing(
    place: Place, damage: Callable[[bytes], bytes], words: str
) -> None:
    """PAY-05: cut in half, empty, edited, binary, doubled: refused with the file's name, nothing changed."""
    path = _big(place)
    before = _state()
    with pytest.raises(BadInput, match=words) as refused:
        take_result(by=finance(), on=dates.RESULTS, data=damage(path.read_bytes()), file_name=path.name)
    assert path.name in str(refused.value)
    assert _state() == before


def test_a_result_of_another_batch_or_county_is_refused(place: Place) -> None:
    """PAY-05: the number in the file must be the name's, and ours; the file it answers must be the one we sent."""
    first, second = answers(place, "DFR_")[:2]
    before = _state()
    with pytest.raises(BadInput):
        _take(first, data=second.read_bytes())
    form = read_format(settings.BATCH_FORMAT_FILE)
    told = parse_file(form, "payment_answer", first.read_bytes(), first.name)
    foreign = write_file(form, "payment_answer", {**told.header, "batch_no": "999999999"}, told.rows)
    with pytest.raises(BadInput, match="没有批次"):
        _take(first, data=foreign, name="DFR_999999999_1.txt")
    other = write_file(form, "payment_answer", {**told.header, "order_sha256": "0" * 64}, told.rows)
    with pytest.raises(BadInput, match="校验码与送出的不同"):
        _take(first, data=other)
    with pytest.raises(BadInput, match="文件名"):
        _take(first, name="工资表.txt")
    assert _state() == before


def _answer(
    place: Place, change: Callable[[list[dict[str, object]]], list[dict[str, object]]], number: int
) -> tuple[Path, bytes]:
    """The big answer with changed rows and honest totals, as answer `number`."""
    path = _big(place)
    form = read_format(settings.BATCH_FORMAT_FILE)
    told = parse_file(form, "payment_answer", path.read_bytes(), path.name)
    rows = change([dict(row) for row in told.rows])
    header = dict(
        told.header, answer_no=number, rows_count=len(rows), amount_fen=sum(r["row_amount_fen"] for r in rows)
    )
    for state, name in (("S", "paid"), ("F", "failed"), ("U", "pending")):
        chosen = [row["row_amount_fen"] for row in rows if row["row_state"] == state]
        header[f"{name}_count"], header[f"{name}_fen"] = len(chosen), sum(chosen)
    name = path.name.rsplit("_", 1)[0] + f"_{number}.txt"
    return path.with_name(name), write_file(form, "payment_answer", header, rows)


def test_a_row_that_contradicts_what_is_final_becomes_an_exception(place: Place) -> None:
    """PAY-06: the bank says paid, then returned: nothing moves, a person is asked."""
    _take(_big(place))

    def contradict(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        row = next(row for row in rows if row["row_state"] == "S")
        return [dict(row, sequence=row["sequence"], row_state="F", failure_code="F05", failure_reason="已销户",
                     booked_on=None, bank_serial=None)]  # fmt: skip

    path, data = _answer(place, contradict, 7)
    with reading(finance()):
        paid = Instruction.objects.filter(state="paid").count()
    _take(path, data=data)
    with reading(finance()):
        assert Instruction.objects.filter(state="paid").count() == paid
        found = PaymentException.objects.get(kind=PaymentException.Kind.REVERSED)
        assert (found.code, found.state) == ("F05", "open")
        assert fetch_one("SELECT count(*) FROM ledger_voucher WHERE event = 'returned' AND subject = %s",
                         [f"result:{found.result_id}"])[0] == 0  # fmt: skip


def test_a_row_booked_after_today_refuses_the_file(place: Place) -> None:
    """PAY-05: money that came on a day to come could not be booked back before it; the row is named."""

    def ahead(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [dict(row, booked_on=dates.LATE_RESULTS) if row["row_state"] == "S" else row for row in rows]

    path, data = _answer(place, ahead, 7)
    before = _state()
    with pytest.raises(BadInput, match=r"第 \d+ 笔：入账日期 .* 以后"):
        _take(path, data=data)
    assert _state() == before
    _take(path, data=data, on=dates.LATE_RESULTS)


def test_a_row_of_no_instruction_is_kept_and_the_page_says_what_was_booked(place: Place) -> None:
    """PAY-05: an unknown reference is never dropped, a row told twice under another sequence is a repetition; the message, the
    batch and the exceptions tell what was posted, not what the file claims; uploads are listed, taken or refused, once (PAY-04)."""
    officer = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)

    def mixed(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        paid = next(row for row in rows if row["row_state"] == "S")
        return [dict(paid, row_id="99999999"), paid, dict(paid, sequence=99999)]

    path, wrong = _answer(place, lambda rows: [dict(row, row_id="99999999") for row in rows[:2]], 8)
    before = _state()
    assert "整份没有一行是我们送出的" in _upload(officer, path.name, wrong) and _state() == before
    path, data = _answer(place, mixed, 8)
    told = _upload(officer, path.name, data)
    with reading(finance()):
        found = list(
            PaymentException.objects.filter(row_no__gt=0)
            .order_by("row_no")
            .values_list("kind", "row_no", "reason", "line_id")
        )
        kinds = [(kind, row) for kind, row, _, _ in found]
        [paid] = Instruction.objects.filter(state="paid")
    assert kinds == [("unmatched", 1), ("duplicate", 3)] and found[1][3] == paid.line_id, found
    assert not any(reason.endswith("：") for _, _, reason, _ in found)
    claimed = f"入账 3 行 ¥{yuan(3 * paid.amount_fen)}"
    moved = f"入账 1 笔 ¥{yuan(paid.amount_fen)}，2 行待核对；文件写的是{claimed}"
    assert f"已收回盘：{moved}" in told and "回盘行重复 1 行，回盘行对不上 1 行" in told and "退回的" not in told
    assert f"/exceptions/?batch={paid.batch_id}" in told and f"第 8 号：{moved}" in told
    listed = officer.get(f"/exceptions/?batch={paid.batch_id}").content.decode()
    assert "E01" in listed and "E02" in listed and "第 3 行" in listed
    assert officer.get("/exceptions/?batch=1e3").status_code == 404
    again = _upload(officer, path.name, data)
    assert "已经收过" in again and "当时入账 1 笔" in again and "没有改动" in again and "已收回盘" not in again
    before = _state()
    other = _answer(place, lambda rows: rows[1:3], 8)[1]
    refused = _upload(officer, path.name, other)
    assert "内容与先收的不同" in refused and "换回盘序号" in refused and "收文件</button>" in refused
    for _ in range(2):
        refused = _upload(officer, path.name, data[:-20])
        assert "不完整" in refused and "已记在" in refused
    assert _state() == before
    with reading(finance()):
        entries = ExchangeFile.objects.filter(uploaded_by__isnull=False).order_by("id")
        assert [(each.state, each.tries, each.size_bytes) for each in entries] == [
            ("refused", 1, len(wrong)),
            ("taken", 2, len(data)),
            ("refused", 1, len(other)),
            ("refused", 2, len(data) - 20),
        ]
    files = officer.get("/banks/files/?state=refused").content.decode()
    assert path.name in files and "不完整" in files and "上传" in files and "没有拒收的文件" not in files
    assert "没有失败的文件" in officer.get("/banks/files/?state=failed").content.decode()
    assert "没有拒收待核对的文件" in officer.get("/banks/files/?state=open").content.decode()
    assert "核对拒收的回盘" not in officer.get("/").content.decode(), "who uploaded it saw the refusal"
    _receipts(place, officer)


def _receipts(place: Place, officer: Client) -> None:
    """FUND-03: a receipt of a transfer that was taken before, another content under its number, and the wrong page for it."""
    path = answers(place, "ZJR_")[0]
    data = path.read_bytes()
    before = _state()
    for _ in range(2):
        told = _upload(officer, path.name, data, "/applications/answer/")
        assert "已经收过" in told and "这次没有改动" in told and "已收回执" not in told
    form = read_format(settings.BATCH_FORMAT_FILE)
    parsed = parse_file(form, "transfer_answer", data, path.name)
    header = dict(parsed.header, business_date=parsed.header["business_date"] + timedelta(days=1))
    told = _upload(
        officer, path.name, write_file(form, "transfer_answer", header, parsed.rows), "/applications/answer/"
    )
    assert "内容与先收的不同" in told and "已记在" in told and "已收回执" not in told
    files = officer.get("/banks/files/").content.decode()
    assert files.count(path.name) == 3 and "内容与先收的不同" in files and "认不出" not in files
    assert "收拨款回执" in _upload(officer, path.name, data) and _state() == before


def _upload(client: Client, name: str, data: bytes, page: str = "/batches/answer/") -> str:
    """The page after a file was uploaded."""
    token = re.search(r'name="token" value="([0-9a-f]{32})"', client.get(page).content.decode())
    assert token is not None
    told = {"token": token[1], "file": SimpleUploadedFile(name, data)}
    return client.post(page, told, follow=True).content.decode()


def test_pending_lines_are_settled_by_a_later_answer(county: County) -> None:
    """PAY-05: unknown counts as live until the bank says; its exception closes by itself."""
    county("answered")
    with reading(finance()):
        assert not Instruction.objects.filter(state__in=["sent", "unknown"]).exists()
        assert PaymentException.objects.filter(kind="unknown", state="closed").exists()
        assert not PaymentException.objects.filter(kind="unknown", state="open").exists()
        assert not Batch.objects.exclude(state="answered").exists()


def test_a_refused_batch_can_be_sent_again(place: Place) -> None:
    """PAY-06: the bank took nothing: the lines are payable again, the money is back, a new batch may go."""
    from huimin.payment.commands import prepare_batch, release_batch

    with reading(finance()):
        batch = Batch.objects.order_by("pk")[1]
    form = read_format(settings.BATCH_FORMAT_FILE)
    header = {
        "batch_no": batch.batch_no, "refusal_no": 1, "business_date": dates.RESULTS, "refusal_code": "X06",
        "refusal_reason": "付款账户余额不足", "refusal_detail": "", "line_no": 0, "order_sha256": batch.file_sha256,
        "format_version": "1.0",
    }  # fmt: skip
    data = write_file(form, "payment_refusal", header, [])
    name = f"DFX_{batch.batch_no}_1.txt"
    assert take_result(by=finance(), on=dates.RESULTS, data=data, file_name=name).state == Batch.State.REJECTED
    before = _state()
    take_result(by=finance(), on=dates.RESULTS, data=data, file_name=name)
    assert _state() == before
    again = prepare_batch(by=actor(Post.SETTLEMENT, batch.division), on=dates.RESULTS, roster_id=batch.roster_id)
    assert (again.lines_count, again.amount_fen) == (batch.lines_count, batch.amount_fen)
    release_batch(by=finance(Post.FINANCE_RELEASER), on=dates.RESULTS, batch_id=again.pk)
    with reading(finance()):
        live = Instruction.objects.filter(line__roster=batch.roster_id, state="sent").count()
    assert live == batch.lines_count
