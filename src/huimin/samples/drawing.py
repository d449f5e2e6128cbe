"""Freezing a list, and drawing from it by a public number two people read (CASE-08, SEC-02).

in    cases that stand at a step which demands 抽查, or a month's decisions of a township; a public event of a later day
out   a `Draw` with its list and digest, signed; then, by the event's number, who is checked

Always true (here in words, in migration 0002 for whoever writes): the list is whole and frozen before the number exists; a
case is on one list for its step and round, new ones come into the next; who has a registered relative among officials, and
who was drawn before without being found true, is checked in any case; the number is typed by two people who do not see
each other's; a draw is made once. Law: 皖政办〔2008〕23号 附件3 第28条; 伊民规〔2022〕2号 二(四)1; 日政办发〔2018〕95号 四(三).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import fetch, run, temporary
from huimin.database.context import scope_of
from huimin.divisions.queries import names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.kinship.queries import RELATED_HOUSEHOLDS
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_place,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.queries import programme_names
from huimin.processes.models import Process
from huimin.processes.queries import way_of
from huimin.samples.models import AFTER_STEP, Draw, DrawSkip, SampleRate
from huimin.samples.rates import Rate, rate_of
from huimin.samples.seeding import EVENTS, Entry, digest_of, list_text, quota_of, read_outcome, seed_of

FREEZERS = (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER)
READERS = (*FREEZERS, Post.FINANCE_OFFICER, Post.SUPERVISOR, Post.COUNTY_OFFICER)
SIZE_MAX = 50_000
EVENT_DAYS_MAX = 14
"""How far ahead a number may lie: a list does not wait for months."""
_ALREADY = "请刷新后查看"
_WORDS: tuple[tuple[str, type[Refusal], str, str], ...] = (
    ("draw_case_once", AlreadyDone, "有的件已在另一次抽签的名单里", "一件事在一步只抽一次，请刷新后再冻结"),
    ("draw_of_month_once", AlreadyDone, "这个乡镇这个月已经冻结过名单", "一个月只抽一次，请到那一次的页面"),
    ("draw_final", AlreadyDone, "抽签已经完成，不能改", _ALREADY),
    ("draw_list_frozen", AlreadyDone, "名单已冻结，不能再加", "新的件进下一次"),
    ("draw_by_two", SamePerson, "号码要由两个人各自录入", "请由另一人录入"),
    ("draw_event_named", Refusal, "不能另选公开号码", "只有原定的那一天没有开出号码，才能另选以后的一天"),
    ("draw_skip_once", AlreadyDone, "这一天没有号码已经登记过", _ALREADY),
)
for _name, _kind, _what, _remedy in _WORDS:
    refused_by_constraint(_name, _kind, _what, _remedy)


class NothingToDraw(Refusal):
    """No case is there that is on no list."""


class NotYet(Refusal):
    """The month, or the day of the number, is not over."""


class NumbersDiffer(Refusal):
    """The two people did not type the same number."""


@dataclass(frozen=True)
class Named:
    """The public event a draw waits for."""

    event: str
    on: date


@command(*FREEZERS)
def freeze_cases(*, by: Actor, on: date, programme: str, step: str, named: Named) -> Draw:
    """Everybody of a programme who stands at `step`, which demands 抽查, and is on no list for it yet."""
    name = programme_names().get(programme, programme)
    require_programme(by, programme, name)
    _require_named(by, on, named)
    ways = _ways_at(step)
    low, high = scope_of(by.prefix)
    asked = {"low": low, "high": high, "programme": programme, "step": step, "processes": list(ways)}
    _found(f"SELECT c.id, c.round, c.step {_WAITING}", asked)
    used = [
        number for (number,) in fetch("SELECT DISTINCT c.process_id FROM cases_case c JOIN population p USING (id)")
    ]
    demanded = max((ways[number] for number in used), default=Rate(1, ""), key=lambda rate: rate.percent)
    rate = rate_of(by.division, (programme,), demanded)
    title = f"{name}“{step}”前抽查，{on.isoformat()} 冻结"
    return _freeze(by, on, named, rate, title, programme=programme, step=step)


@command(*FREEZERS)
def freeze_month(*, by: Actor, on: date, township: str, month: date, named: Named) -> Draw:
    """What a township decided in a month, granted or refused, of the programmes of the office whose decisions are checked."""
    require_place(by, township)
    first = month_start(month)
    until = add_months(first, 1)
    if on < until:
        raise NotYet(
            f"{first:%Y 年 %m 月}还没有过完", why="整月的决定都在，名单才完整", remedy=f"请在 {until} 及以后冻结"
        )
    _require_named(by, on, named)
    rates = {row.pk: way_of(row).after for row in Process.objects.exclude(subject="proposals").order_by("-id")[:400]}
    checked = {number: after for number, after in rates.items() if after}
    low, high = scope_of(township[:9])
    asked = {
        "low": low, "high": high, "first": first, "until": until, "programmes": list(by.programmes),
        "processes": list(checked), "step": AFTER_STEP,
    }  # fmt: skip
    _found(f"SELECT c.id, c.round, %(step)s::text AS step {_DECIDED}", asked)
    rows = fetch("SELECT DISTINCT c.process_id, c.programme FROM cases_case c JOIN population p USING (id)")
    demanded = max((checked[row[0]] for row in rows), default=None, key=lambda after: after.percent)
    rate = rate_of(
        by.division, {row[1] for row in rows}, Rate(demanded.percent, demanded.basis) if demanded else Rate(1, "")
    )
    name = names_of({township}, on).get(township, township)
    title = f"{name} {first:%Y 年 %m 月}审核确认抽查，{on.isoformat()} 冻结"
    return _freeze(by, on, named, rate, title, step=AFTER_STEP, township=township[:9] + "000", month=first)


_WAITING = """
FROM cases_case c WHERE c.step = %(step)s AND c.state = 'open' AND c.programme = %(programme)s
  AND c.process_id = ANY (%(processes)s) AND c.division >= %(low)s AND c.division < %(high)s AND c.household_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM samples_drawcase l WHERE l.case_id = c.id AND l.round = c.round AND l.step = c.step)
"""
_DECIDED = """
FROM cases_case c WHERE c.state IN ('granted', 'refused') AND c.decided_on >= %(first)s AND c.decided_on < %(until)s
  AND c.programme = ANY (%(programmes)s) AND c.process_id = ANY (%(processes)s)
  AND c.division >= %(low)s AND c.division < %(high)s AND c.household_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM samples_drawcase l WHERE l.case_id = c.id AND l.round = c.round AND l.step = %(step)s)
"""
# Drawn before and not found true since: a case that was sent back does not lose its check.
_LISTED = f"""
SELECT c.id, c.division, c.household_id, extract(year FROM c.asked_on)::text || lpad(c.id::text, 7, '0') AS number, p.round,
       p.step, c.household_id IN (SELECT household_id FROM ({RELATED_HOUSEHOLDS}) k)
       OR coalesce((SELECT l.picked AND k.result IS DISTINCT FROM 'true' FROM samples_drawcase l
                    LEFT JOIN samples_check k ON k.line_id = l.id WHERE l.case_id = c.id AND l.step = p.step
                    ORDER BY l.id DESC LIMIT 1), false) AS must
FROM population p JOIN cases_case c ON c.id = p.id
"""  # noqa: S608  constants
_ADD = """
INSERT INTO samples_drawcase (draw_id, case_id, division, household_id, number, round, step, must, key, picked)
SELECT %(draw)s, id, division, household_id, number, round, step, must, '', false FROM listed
"""


def _found(select: str, asked: dict[str, Any]) -> None:
    for table in ("population", "listed"):
        run(f"DROP TABLE IF EXISTS pg_temp.{table}")
    temporary("population", select, asked)


def _ways_at(step: str) -> dict[int, Rate]:
    """Versions whose step of this name demands 抽查, with the rate and the article."""
    found = {}
    for row in Process.objects.filter(subject=Process.Subject.HOUSEHOLD).order_by("-id")[:400]:
        for each in way_of(row).steps:
            demand = next((d for d in each.demands if d.kind == "抽查"), None)
            if each.key == step and demand:
                found[row.pk] = Rate(demand.number, each.basis)
    if not found:
        raise BadInput(f"“{step}”不用抽查", where="步骤", remedy="请从列表选择")
    return found


def _freeze(by: Actor, on: date, named: Named, rate: Rate, title: str, **what: Any) -> Draw:
    """The population as a list, digested, signed and stored in one statement."""
    temporary("listed", _LISTED, {"on": on})
    entries = [Entry(number, must) for number, must in fetch("SELECT number, must FROM listed")]
    if not entries:
        raise NothingToDraw("没有要抽查的件", why="都已在抽签的名单里，或没有件到这一步", remedy="有新的件时再冻结")
    if len(entries) > SIZE_MAX:
        raise BadInput(
            f"名单有 {len(entries):,} 件", where="名单", remedy=f"一次不超过 {SIZE_MAX:,} 件，请分项目、分月"
        )
    digest, must = digest_of(list_text(entries)), sum(entry.must for entry in entries)
    signature = sign(by=by, on=on, act="冻结抽查名单", subject=f"sample-list:{digest[:32]}", content_digest=digest)
    draw = Draw.objects.create(
        division=by.division, office=by.office, title=title[:160], percent=rate.percent, basis=rate.basis[:300],
        size=len(entries), must=must, quota=quota_of(len(entries), must, rate.percent), digest=digest, frozen_on=on,
        frozen_by=by.appointment, signature=signature, event=named.event, event_on=named.on, **what,
    )  # fmt: skip
    run(_ADD, {"draw": draw.pk})
    return draw


def _require_named(by: Actor, on: date, named: Named) -> None:
    """A later day on which the event takes place, so that nobody knows its outcome now."""
    event = EVENTS.get(named.event)
    if event is None:
        raise BadInput("没有选用哪种公开号码", where="公开号码", remedy="请从列表选择")
    if named.on <= on:
        raise BadInput(
            f"{named.on} 不在今天之后",
            where="号码日期",
            why="名单冻结时谁也不能知道号码",
            remedy="请选明天或以后的一天",
        )
    if named.on > on + timedelta(days=EVENT_DAYS_MAX):
        raise BadInput(f"{named.on} 太远", where="号码日期", remedy=f"请选 {EVENT_DAYS_MAX} 天以内的一天")
    happens = named.on.isoweekday() in event.weekdays
    if happens and event.trading:
        happens = calendar_of(by.division).is_working_day(named.on)
    if not happens:
        raise BadInput(f"{named.on} 没有{event.label}", where="号码日期", why=event.days, remedy="请选有号码的一天")


@command(*READERS)
def read_number(*, by: Actor, on: date, draw_id: int, number: str, where: str) -> Draw:
    """The first person types the number as it was published, and where he read it; he may correct it until it is drawn."""
    draw = _locked_frozen(by, draw_id)
    told = _read_today(draw, on, number)
    if draw.first_account not in (None, by.account):
        raise AlreadyDone("已有人录入号码", remedy="请在“复核号码、抽签”里自己再录一遍")
    if len(where.strip()) < 2:
        raise BadInput("没有写在哪里看到的", where="出处", remedy="如：中国福彩网 第 2021077 期、某日报 3 版")
    draw.first_number, draw.first_by, draw.first_account, draw.first_on = told, by.appointment, by.account, on
    draw.first_where = where.strip()[:120]
    draw.save(update_fields=["first_number", "first_by", "first_account", "first_on", "first_where"])
    return draw


@command(*READERS)
def draw_list(*, by: Actor, on: date, draw_id: int, number: str) -> Draw:
    """Another person types the number without seeing the first; when they agree the list is drawn from. Once."""
    draw = _locked_frozen(by, draw_id)
    told = _read_today(draw, on, number)
    if draw.first_account is None:
        raise NotYet("还没有人录入号码", remedy="请先录入号码和出处，再由另一人复核")
    if draw.first_account == by.account:
        raise SamePerson("号码要由两个人各自录入", why="您已录入过", remedy="请由另一人复核")
    if told != draw.first_number:
        raise NumbersDiffer("两人录入的号码不一样", why="有一人录错了", remedy="请各自核对公布的号码；先录的人可以改")
    draw.number, draw.seed = told, seed_of(draw.digest, draw.event, draw.event_on, told)
    draw.drawn_by, draw.drawn_account, draw.drawn_on, draw.state = by.appointment, by.account, on, Draw.State.DRAWN
    draw.save(update_fields=["number", "seed", "drawn_by", "drawn_account", "drawn_on", "state"])
    content = digest_of(f"{draw.seed}:{draw.drawn_count}")
    sign(by=by, on=on, act="抽签", subject=draw.subject, content_digest=content, division=draw.division)
    return draw


@command(*READERS)
def skip_event(*, by: Actor, on: date, draw_id: int, reason: str, named: Named) -> Draw:
    """The day brought no number (no draw, no trading): another day is named, and everybody can read why. Not by who froze."""
    draw = _locked_frozen(by, draw_id)
    if on <= draw.event_on:
        raise NotYet(f"{draw.event_on} 还没有过", remedy="过了这一天没有号码，才能另选")
    if draw.frozen_by == by.appointment:
        raise SamePerson("冻结名单的人不能另选号码", why="选号码的和冻结名单的须为两人", remedy="请由另一人办理")
    if draw.first_number:
        raise AlreadyDone("号码已有人录入", remedy="有号码就不能另选")
    if len(reason.strip()) < 4:
        raise BadInput("没有写为什么没有号码", where="理由", remedy="如：春节休市、当日停售")
    _require_named(by, on, named)
    DrawSkip.objects.create(
        draw=draw, division=draw.division, event=draw.event, event_on=draw.event_on, reason=reason.strip()[:200],
        skipped_by=by.appointment, skipped_on=on,
    )  # fmt: skip
    draw.event, draw.event_on = named.event, named.on
    draw.save(update_fields=["event", "event_on"])
    return draw


def _locked_frozen(by: Actor, draw_id: int) -> Draw:
    draw = Draw.objects.select_for_update(of=("self",)).filter(pk=draw_id).first()
    if draw is None:
        raise BadInput("没有这次抽签", where="编号", remedy="请从列表进入")
    require_place(by, draw.division)
    if draw.state != Draw.State.FROZEN:
        raise AlreadyDone("这份名单已经抽签", remedy=_ALREADY)
    return draw


def _read_today(draw: Draw, on: date, number: str) -> str:
    if on < draw.event_on:
        raise NotYet(f"{draw.get_event_display()} {draw.event_on} 还没有公布", remedy="请在公布后录入")
    return read_outcome(draw.event, number)


@command(Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER)
def set_rate(*, by: Actor, on: date, programme: str, percent: int, basis: str) -> SampleRate:
    """The county checks more than the process asks; the process's own rate stays the least."""
    if by.post == Post.DEPARTMENT_APPROVER:
        require_programme(by, programme, programme_names().get(programme, programme))
    if not 1 <= percent <= 100:
        raise BadInput("比例须在 1% 到 100% 之间", where="比例", remedy="请填整数")
    if len(basis.strip()) < 4:
        raise BadInput("没有写依据", where="依据", remedy="请写文件名称和文号")
    latest = SampleRate.objects.filter(division=by.division, programme=programme).order_by("-id").first()
    if latest and (latest.percent, latest.basis) == (percent, basis.strip()[:120]):
        return latest
    return SampleRate.objects.create(
        division=by.division, programme=programme, percent=percent, basis=basis.strip()[:120], set_by=by.appointment,
        set_on=on,
    )  # fmt: skip
