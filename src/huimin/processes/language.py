"""One process file into a `Process`: who acts, what a step must hold, by when, where it leads (CASE-04, CASE-05).

in    the text of a `processes/*.yaml` file
out   a `Process` (步骤) or `Rule`s (适用); faults with line and column, the nearest known name and what would be right

Nothing here looks at other files or at the graph as a whole (`checking`), and nothing touches a database.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from huimin.kernel.places import Level
from huimin.kernel.working_days import OFFICIAL, WorkingCalendar
from huimin.organisation.posts import POSTS_OF, OfficeKind, Post
from huimin.rules.faults import FaultFound, Source, nearest
from huimin.rules.fields import day_of, division_of, field_of, is_yes, text_of
from huimin.rules.yaml_text import Entry

END = "办结"
ALL = "全部"
NO_LIMIT = "无规定"
SUBJECTS = {"户": "household", "名单": "list", "建议": "proposals"}
LEVELS = {"村": Level.VILLAGE, "乡镇": Level.TOWNSHIP, "县": Level.COUNTY}
LEVEL_WORDS = {level: word for word, level in LEVELS.items()}
_OF_LEVEL = {OfficeKind.VILLAGE: Level.VILLAGE, OfficeKind.TOWNSHIP: Level.TOWNSHIP}
POSTS_AT: dict[Level, dict[str, Post]] = {
    level: {
        Post(post).label: Post(post)
        for kind, posts in POSTS_OF.items()
        if _OF_LEVEL.get(OfficeKind(kind), Level.COUNTY) is level and kind != OfficeKind.BANK
        for post in posts
        if post != Post.ADMINISTRATOR
    }
    for level in LEVELS.values()
}
"""Which posts there are at each level, by label."""

KINDS = ("材料", "授权", "入户调查", "民主评议", "公示", "长期公示", "抽查", "报告", "会签")
"""What a step may have to hold."""
_DETAILS: dict[str, tuple[str, ...]] = {
    "公示": ("级", "天"), "入户调查": ("人数",), "民主评议": (), "抽查": ("比例",), "报告": ("名称",), "会签": ("岗位",),
    "材料": (), "授权": (), "长期公示": (),
}  # fmt: skip
FILE_FIELDS = (
    "流程", "名称", "区划", "自", "对象", "依据", "说明", "总期限", "可延长至", "不予批准告知", "事后抽查", "步骤", "适用",
)  # fmt: skip
STEP_FIELDS = (
    "步骤", "名称", "办理", "须有", "期限", "可延长至", "下一步", "退回", "可不予批准", "异议", "不同于", "决定", "依据", "说明",
)  # fmt: skip
RULE_FIELDS = ("项目", "申请", "建议", "自", "依据", "说明")
STEPS_MAX, KEY_MAX, NAME_MAX, PERCENT_MAX = 20, 20, 40, 100
_LIMIT = re.compile(r"(\d{1,3})\s*个?\s*(工作日|日|天)")


@dataclass(frozen=True)
class Limit:
    """A time limit; the day it counts from is not counted."""

    days: int
    working: bool

    def end(self, since: date, calendar: WorkingCalendar = OFFICIAL) -> date:
        """Its last day. CalendarUnknown for working days of a year nobody entered."""
        return calendar.add(since, self.days) if self.working else date.fromordinal(since.toordinal() + self.days)

    def __str__(self) -> str:
        return f"{self.days} 个工作日" if self.working else f"{self.days} 日"


@dataclass(frozen=True)
class Acting:
    """A post at a level."""

    level: Level
    post: Post

    def __str__(self) -> str:
        return f"{LEVEL_WORDS[self.level]}{self.post.label}"


@dataclass(frozen=True)
class Demand:
    """One thing a step must hold before it can be completed; `number` is days, people or percent by kind."""

    kind: str
    name: str = ""
    level: Level | None = None
    number: int = 0
    acting: tuple[Acting, ...] = ()

    def __str__(self) -> str:
        words = {
            "公示": f"{LEVEL_WORDS.get(self.level or Level.VILLAGE)}公示 {self.number} 天",
            "入户调查": f"入户调查（{self.number} 人以上）",
            "抽查": f"抽查不低于 {self.number}%",
            "报告": self.name,
            "会签": f"{'、'.join(map(str, self.acting))}会签",
        }
        return words.get(self.kind, self.kind)


@dataclass(frozen=True)
class Step:
    """One step. `next` is END or another step; `returns` where it may be sent back to; `another`: not by whom did those."""

    key: str
    name: str
    acting: tuple[Acting, ...]
    demands: tuple[Demand, ...]
    limit: Limit | None
    extended: Limit | None
    next: str
    returns: tuple[str, ...]
    refuses: bool
    objection: str
    another: tuple[str, ...]
    decides: bool
    basis: str
    at: Source
    spots: Mapping[str, tuple[Source, ...]]
    """Where each name of another step stands in the file."""

    @property
    def posts(self) -> frozenset[Post]:
        return frozenset(each.post for each in self.acting)

    def may(self, post: str, level: int) -> bool:
        return any(each.post == post and each.level == level for each in self.acting)


@dataclass(frozen=True)
class AfterCheck:
    """Where the township decides: how many of its decisions the county checks, in percent of the applicants."""

    percent: int
    basis: str

    def __str__(self) -> str:
        return f"县里对决定抽查不低于 {self.percent}%"


@dataclass(frozen=True)
class Process:
    """An ordered way of steps for a household, a list, or the confirmation of what the system proposed."""

    code: str
    name: str
    subject: str
    division: str
    valid_from: date
    basis: str
    limit: Limit | None
    extended: Limit | None
    refusal: Limit
    steps: tuple[Step, ...]
    at: Source
    after: AfterCheck | None = None

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

    @property
    def first(self) -> Step:
        return self.steps[0]

    @property
    def main(self) -> tuple[str, ...]:
        """The keys of the straight way, from the first step to the end."""
        found: list[str] = []
        key = self.first.key
        while key != END and key not in found:
            found.append(key)
            key = self.step(key).next
        return tuple(found)

    @property
    def demanded(self) -> tuple[str, ...]:
        """The steps that must all have been passed when something is granted: the straight way up to the deciding step."""
        main = self.main
        deciding = next((n for n, key in enumerate(main) if self.step(key).decides), len(main) - 1)
        return main[: deciding + 1]


@dataclass(frozen=True)
class Rule:
    """Which process applications and which the system's proposals of a programme follow at a place."""

    programme: str
    division: str
    application: str
    proposals: str
    valid_from: date
    basis: str
    at: Source
    spots: Mapping[str, Source]


def read_limit(entry: Entry, what: str) -> Limit:
    words = entry.words(what)
    found = _LIMIT.fullmatch(words.text.strip())
    if not found or not int(found[1]):
        raise FaultFound(words, 0, f"“{words.text[:20]}”不是期限", "写成 7 日 或 20 工作日；法规没有规定的写 无规定")
    return Limit(int(found[1]), found[2] == "工作日")


def _limit_of(fields: Mapping[str, Entry], key: str) -> Limit | None:
    if key not in fields or text_of(fields, key) == NO_LIMIT:
        return None
    return read_limit(fields[key], key)


def _names(entry: Entry, what: str) -> tuple[Source, ...]:
    """One word or a list of words."""
    if entry.items is None:
        return (entry.words(what),)
    return tuple(item.words(what) for item in entry.sequence(what))


def read_acting(entry: Entry) -> tuple[Acting, ...]:
    return tuple(_acting(words) for words in _names(entry, "办理"))


def _acting(words: Source) -> Acting:
    parts = words.text.split()
    if len(parts) != 2 or parts[0] not in LEVELS:
        near = nearest(parts[0], LEVELS) if parts else ""
        raise FaultFound(
            words, 0, f"“{words.text}”没有写清级次和岗位", near or "写成 村 信息员、乡镇 审核员、县 部门审批"
        )
    level = LEVELS[parts[0]]
    if parts[1] not in POSTS_AT[level]:
        remedy = nearest(parts[1], POSTS_AT[level]) or f"{parts[0]}的岗位有：{'、'.join(POSTS_AT[level])}"
        elsewhere = [LEVEL_WORDS[each] for each, posts in POSTS_AT.items() if parts[1] in posts]
        remedy = f"{parts[1]}在{'、'.join(elsewhere)}" if elsewhere else remedy
        raise FaultFound(words, len(parts[0]) + 1, f"{parts[0]}没有“{parts[1]}”这个岗位", remedy)
    return Acting(level, POSTS_AT[level][parts[1]])


def read_demand(entry: Entry) -> Demand:
    """`材料`, or with details `{公示: {级: 村, 天: 7}}`, `{报告: 调查报告}`, `{会签: [县 财政经办]}`."""
    if entry.fields is None:
        return _demand(entry.words("须有"), None)
    if len(entry.fields) != 1:
        raise FaultFound(entry.at, 0, "一项只写一样", "如 - {公示: {级: 村, 天: 7}}，另一样另起一行")
    [(source, details)] = entry.fields.values()
    return _demand(source, details)


def _demand(kind: Source, details: Entry | None) -> Demand:
    word = kind.text.strip()
    if word not in KINDS:
        raise FaultFound(kind, 0, f"没有“{word}”这种凭据", nearest(word, KINDS) or f"可写的有：{'、'.join(KINDS)}")
    if word == "报告":
        return Demand(word, name=details.words("报告").text.strip()[:NAME_MAX] if details else "调查报告")
    if word == "会签":
        if details is None:
            raise FaultFound(kind, 0, "会签没有写由谁", "如 {会签: [县 财政经办, 县 监督员]}")
        return Demand(word, acting=read_acting(details))
    allowed = _DETAILS[word]
    fields = details.mapping(word, allowed) if details else {}
    if missing := [name for name in allowed if name not in fields]:
        example = {
            "公示": "{公示: {级: 村, 天: 7}}",
            "入户调查": "{入户调查: {人数: 2}}",
            "抽查": "{抽查: {比例: 30%}}",
        }[word]
        raise FaultFound(kind, 0, f"{word}没有写{'、'.join(missing)}", f"如 {example}")
    level = _level(fields["级"]) if "级" in fields else None
    counted = next((fields[name] for name in ("天", "人数", "比例") if name in fields), None)
    return Demand(word, level=level, number=_whole(counted) if counted else 0)


def _level(entry: Entry) -> Level:
    words = entry.words("级")
    if words.text.strip() not in LEVELS:
        raise FaultFound(words, 0, f"没有“{words.text}”这一级", f"可写的有：{'、'.join(LEVELS)}")
    return LEVELS[words.text.strip()]


def _whole(entry: Entry) -> int:
    words = entry.words("数")
    text = words.text.strip().removesuffix("%").removesuffix("天").removesuffix("人").strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 365):
        raise FaultFound(words, 0, f"“{words.text}”不是正整数", "如 7、2、30%")
    return int(text)


def read_step(entry: Entry) -> Step:
    fields = entry.mapping("步骤", STEP_FIELDS)
    key = field_of(entry, fields, "步骤").words("步骤")
    if len(key.text.strip()) > KEY_MAX or key.text.strip() == END:
        raise FaultFound(key, 0, f"“{key.text}”不能作步骤名", f"用 {KEY_MAX} 字以内的词，“{END}”是结束")
    spots = {name: _names(fields[name], name) for name in ("下一步", "退回", "异议", "不同于") if name in fields}
    names = {name: tuple(source.text.strip() for source in sources) for name, sources in spots.items()}
    if "下一步" not in names:
        raise FaultFound(key, 0, f"“{key.text}”没有出路", f"请写 下一步: 某一步，最后一步写 下一步: {END}")
    demands = tuple(read_demand(item) for item in fields["须有"].sequence("须有")) if "须有" in fields else ()
    return Step(
        key=key.text.strip(),
        name=text_of(fields, "名称") or key.text.strip(),
        acting=read_acting(field_of(entry, fields, "办理")),
        demands=demands,
        limit=_limit_of(fields, "期限"),
        extended=_limit_of(fields, "可延长至"),
        next=names["下一步"][0],
        returns=names.get("退回", ()),
        refuses="可不予批准" in fields and is_yes(fields["可不予批准"]),
        objection=names.get("异议", ("",))[0],
        another=names.get("不同于", ()),
        decides="决定" in fields and is_yes(fields["决定"]),
        basis=field_of(entry, fields, "依据").words("依据").text.strip(),
        at=key,
        spots={**spots, **({"期限": (fields["期限"].at,)} if "期限" in fields else {})},
    )


class FileReader:
    """Reads one file; what is faulty is gathered in `faults` and the rest is still read."""

    def __init__(self, file: Entry) -> None:
        self.file = file
        self.faults: list[FaultFound] = []
        self.rules: list[Rule] = []

    def read(self) -> Process | None:
        try:
            fields = self.file.mapping("流程文件", FILE_FIELDS)
            division = division_of(field_of(self.file, fields, "区划"))
            if "适用" in fields:
                self._rules(fields, division)
                return None
            return self._process(fields, division)
        except FaultFound as found:
            self.faults.append(found)
            return None

    def _rules(self, fields: Mapping[str, Entry], division: str) -> None:
        if extra := sorted(set(fields) - {"区划", "说明", "适用"}):
            raise FaultFound(fields[extra[0]].at, 0, f"写“适用”的文件不写“{extra[0]}”", "流程另写一份文件")
        for entry in fields["适用"].sequence("适用"):
            try:
                self.rules += _read_rules(entry, division)
            except FaultFound as found:
                self.faults.append(found)

    def _process(self, fields: Mapping[str, Entry], division: str) -> Process | None:
        code = field_of(self.file, fields, "流程").words("流程")
        subject = field_of(self.file, fields, "对象").words("对象")
        if subject.text.strip() not in SUBJECTS:
            raise FaultFound(subject, 0, f"对象没有“{subject.text}”", f"可写的有：{'、'.join(SUBJECTS)}")
        steps: list[Step] = []
        items = field_of(self.file, fields, "步骤").sequence("步骤")
        if not 0 < len(items) <= STEPS_MAX:
            raise FaultFound(fields["步骤"].at, 0, f"流程有 {len(items)} 步", f"请写 1 到 {STEPS_MAX} 步")
        for entry in items:
            try:
                steps.append(read_step(entry))
            except FaultFound as found:
                self.faults.append(found)
        if self.faults:
            return None
        return Process(
            code.text.strip(), field_of(self.file, fields, "名称").words("名称").text.strip(),
            SUBJECTS[subject.text.strip()], division, day_of(field_of(self.file, fields, "自")),
            field_of(self.file, fields, "依据").words("依据").text.strip(), _limit_of(fields, "总期限"),
            _limit_of(fields, "可延长至"), _limit_of(fields, "不予批准告知") or Limit(3, True), tuple(steps), code,
            _after(fields["事后抽查"], steps) if "事后抽查" in fields else None,
        )  # fmt: skip


def _after(entry: Entry, steps: list[Step]) -> AfterCheck:
    """`{比例: 50%, 依据: …}`, of a process whose decision is not the county's own."""
    fields = entry.mapping("事后抽查", ("比例", "依据"))
    percent = _whole(field_of(entry, fields, "比例"))
    if percent > PERCENT_MAX:
        raise FaultFound(fields["比例"].at, 0, f"比例写了 {percent}%", "写 1% 到 100%")
    if any(step.decides and each.level == Level.COUNTY for step in steps for each in step.acting):
        remedy = "县里决定的，在决定那一步的须有里写 {抽查: {比例: 30%}}"
        raise FaultFound(entry.at, 0, "县里自己作决定，没有事后抽查", remedy)
    return AfterCheck(percent, field_of(entry, fields, "依据").words("依据").text.strip())


def _read_rules(entry: Entry, division: str) -> list[Rule]:
    fields = entry.mapping("适用", RULE_FIELDS)
    spots = {name: fields[name].words(name) for name in ("申请", "建议") if name in fields}
    if not spots:
        raise FaultFound(entry.at, 0, "没有写走哪个流程", "写 申请: 流程编码，或 建议: 流程编码，或两样都写")
    since = day_of(field_of(entry, fields, "自"))
    basis = field_of(entry, fields, "依据").words("依据").text.strip()
    words = {name: source.text.strip() for name, source in spots.items()}
    return [
        Rule(
            source.text.strip(), division, words.get("申请", ""), words.get("建议", ""), since, basis, source,
            {**spots, "项目": source},
        )
        for source in _names(field_of(entry, fields, "项目"), "项目")
    ]  # fmt: skip
