"""A policy file, read field by field: what one place says about one programme, or its parameters.

in    entries of one YAML file
out   a `Layer` (what this place says) and `ParameterEntry`s (dated values), their faults gathered

A layer says all of a programme (the farthest place) or only what differs there; conditions and values keep their
编号 and 名称 so that a nearer place may replace one. Field names and fixed words are the office's own, in Chinese.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from huimin.kernel.places import NATION
from huimin.rules.amounts import Amount, PhasingWritten, read_amount, read_phase_out
from huimin.rules.county_facts import LocalFact, read_fact
from huimin.rules.faults import FaultFound, Source, nearest
from huimin.rules.fields import day_of, division_of, field_of, is_yes, text_of
from huimin.rules.tiers import EXACTLY, FROM, ROWS_MAX, Row, Rows
from huimin.rules.typed import Type
from huimin.rules.values import key_type, type_of_unit
from huimin.rules.yaml_text import Entry

_T = TypeVar("_T")
WORDS: dict[str, dict[str, str]] = {
    "主管部门": {
        "民政": "civil_affairs",
        "农业农村": "agriculture",
        "水利": "water",
        "财政": "finance",
        "林业": "forestry",
        "卫生健康": "health",
        "人力资源社会保障": "human_resources",
        "医疗保障": "medical_insurance",
        "教育": "education",
        "退役军人": "veterans",
        "应急管理": "emergency",
        "残联": "disabled_federation",
        "乡村振兴": "rural_revitalisation",
    },
    "级次": {"中央": "central", "省": "province", "市": "city", "县": "county"},
    "类别": {"补贴类": "subsidy", "保障类": "security", "救助类": "relief"},
    "对象": {"户": "household", "人": "person"},
    "期间": {"月": "month", "季": "quarter", "半年": "half_year", "年": "year", "一次": "once"},
    "发放": {"按月": "monthly", "按季": "quarterly", "按半年": "half_yearly", "按年": "yearly", "一次": "once"},
    "收款": {"户主卡": "head", "本人卡": "own"},
}
PROGRAMME_FIELDS = ("名称", "简称", "主管部门", "对象", "期间", "发放", "收款", "依据")
LIST_FIELDS = ("级次", "类别", "序号", "面向对象", "申领流程", "发放时间", "咨询方式")
"""What the published policy list (补贴政策清单) shows besides; a file may leave them out. 序号: in S0 annex 4 article 6."""
FILE_FIELDS = (
    "项目",
    "区划",
    "自",
    "至",
    "替代",
    *PROGRAMME_FIELDS,
    *LIST_FIELDS,
    "说明",
    "参数",
    "事实",
    "数值",
    "条件",
    "排除",
    "金额",
    "渐退",
    "案例底数",
    "案例",
)
PARAMETER_FIELDS = (
    "项目",
    "名称",
    "单位",
    "数值",
    "按",
    "档",
    "其余",
    "不低于",
    "不高于",
    "自",
    "至",
    "来源",
    "说明",
    "示例假设",
)
_FITS = re.compile(r"符合\s*[（(]\s*[\"'“”]?([^\"'“”()（）,，]+)")
SCOPES = ("本人", "任一成员", "全体成员")


@dataclass(frozen=True)
class Declared:
    """A parameter a programme uses: its name, unit and type; a value may stand elsewhere."""

    name: str
    unit: str
    type: Type
    at: Source
    key: Type | None = None
    """What a table is looked up by; None for a single value."""
    floor: Source | None = None
    ceiling: Source | None = None
    """Names of parameters this one may not lie below (不低于) or above (不高于)."""


@dataclass(frozen=True)
class ParameterEntry:
    """One dated value of a parameter at one place. `value`: Fraction in base units, bool, or days since 1970-01-01."""

    programme: str
    name: str
    division: str
    valid_from: date
    valid_to: date | None
    text: Source
    source: str
    assumption: bool
    at: Source
    rows: Rows | None = None
    """For a table; `text` is then its name."""
    replaces: bool = False
    """Takes the place of an earlier one within that one's term (替代)."""

    @property
    def plain(self) -> list[object]:
        written = self.rows.plain if self.rows else self.text.text.strip()
        return [self.name, written, self.source, self.division, str(self.valid_from)]


@dataclass(frozen=True)
class Written:
    """A named value, a condition or an exclusion as written. `drop`: a nearer place takes it out (作废).

    `scope`: whom an exclusion looks at (范围).
    """

    key: str
    expression: Source
    text: str = ""
    citation: str = ""
    paper: str = ""
    drop: bool = False
    at: Source | None = None
    scope: str = ""


@dataclass(frozen=True)
class Case:
    """A worked example as written: its fields, and the facts (案例底数) it shares with the file's other cases."""

    id: str
    at: Source
    fields: Mapping[str, Entry]
    shared: Entry | None
    division: str


@dataclass(frozen=True)
class Layer:
    """What one file says about one programme at one place, in force from `valid_from` to `valid_to` inclusive."""

    programme: str
    division: str
    valid_from: date
    valid_to: date | None
    at: Source
    fields: Mapping[str, str]
    declared: tuple[Declared, ...]
    values: tuple[Written, ...]
    conditions: tuple[Written, ...]
    exclusions: tuple[Written, ...]
    amount: Amount | None
    phase_out: PhasingWritten | None
    cases: tuple[Case, ...]
    plain: object
    replaces: bool = False

    @property
    def asks(self) -> frozenset[str]:
        """Codes that stand behind 符合( in its expressions, and those it excludes."""
        texts = [item.expression.text for item in (*self.values, *self.conditions)]
        texts += [source.text for source in self.amount.sources] if self.amount else []
        texts += [source.text for source in self.phase_out.sources] if self.phase_out else []
        found = {code.strip() for text in texts for code in _FITS.findall(text)}
        return frozenset(found | {item.key for item in self.exclusions})

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class FileReader:
    """Reads one file; what is faulty is gathered in `faults` and the rest is still read."""

    def __init__(self, file: Entry, division_default: str = NATION) -> None:
        self.file = file
        self.faults: list[FaultFound] = []
        self.division = division_default
        self.replaces = False
        self.parameters: list[ParameterEntry] = []
        self.facts: list[LocalFact] = []

    def read(self) -> Layer | None:
        """The file's layer; None when it holds parameters only or its head is faulty."""
        try:
            fields = self.file.mapping("政策文件", FILE_FIELDS)
            self.division = division_of(fields["区划"]) if "区划" in fields else self.division
            self.replaces = "替代" in fields and is_yes(fields["替代"])
            if "项目" not in fields:
                self._parameters_only(fields)
                return None
            return self._layer(fields)
        except FaultFound as found:
            self.faults.append(found)
            return None

    def _parameters_only(self, fields: dict[str, Entry]) -> None:
        """A county's facts, and its values for programmes written elsewhere."""
        extra = [key for key in fields if key not in ("区划", "说明", "参数", "事实")]
        if extra or not {"参数", "事实"} & fields.keys():
            remedy = "请写 项目: 编码；只写参数、事实的文件只能有 区划、说明、参数、事实"
            raise FaultFound(self.file.at, 0, "文件没有写“项目”", remedy)
        self.facts += self._all(fields, "事实", lambda entry: read_fact(entry, self.division))
        self._all(fields, "参数", lambda entry: self._parameter(entry, None))

    def _layer(self, fields: dict[str, Entry]) -> Layer:
        code = fields["项目"].words("项目").text.strip()
        if "事实" in fields:
            raise FaultFound(
                fields["事实"].at, 0, "项目文件里不写“事实”", "请另写一份文件，只有 区划、说明、事实、参数"
            )
        valid_from = day_of(field_of(self.file, fields, "自"))
        declared = self._all(fields, "参数", lambda entry: self._parameter(entry, code))
        return Layer(
            programme=code,
            division=self.division,
            valid_from=valid_from,
            valid_to=day_of(fields["至"]) if "至" in fields else None,
            at=self.file.at,
            fields={key: _fixed_word(key, fields[key]) for key in (*PROGRAMME_FIELDS, *LIST_FIELDS) if key in fields},
            declared=tuple(declared),
            values=tuple(self._all(fields, "数值", _value)),
            conditions=tuple(self._all(fields, "条件", _condition)),
            exclusions=tuple(self._all(fields, "排除", read_exclusion)),
            phase_out=read_phase_out(fields["渐退"]) if "渐退" in fields else None,
            amount=read_amount(fields["金额"]) if "金额" in fields else None,
            cases=tuple(self._all(fields, "案例", lambda entry: _case(entry, self.division, fields.get("案例底数")))),
            plain={key: entry.plain for key, entry in fields.items() if key not in ("案例", "案例底数", "参数")},
            replaces=self.replaces,
        )

    def _all(self, fields: dict[str, Entry], key: str, read: Callable[[Entry], _T | None]) -> list[_T]:
        """Every item of a list field that could be read."""
        if key not in fields:
            return []
        items = []
        for entry in fields[key].sequence(key):
            try:
                item = read(entry)
            except FaultFound as found:
                self.faults.append(found)
            else:
                items += [] if item is None else [item]
        return items

    def _parameter(self, entry: Entry, programme: str | None) -> Declared | None:
        """A declaration (with 单位) in a programme's file, a dated value, or both in one."""
        fields = entry.mapping("参数", PARAMETER_FIELDS)
        name = field_of(entry, fields, "名称").words("名称")
        if programme is None or "项目" in fields:
            programme = field_of(entry, fields, "项目").words("项目").text.strip()
        if "数值" in fields and "档" in fields:
            raise FaultFound(name, 0, f"参数“{name.text}”既写了数值又写了档", "一个数写 数值，一张表写 档")
        dated = "数值" in fields or "档" in fields
        if dated:
            self.parameters.append(self._dated_value(entry, fields, programme, name))
        if "单位" not in fields:
            if not dated:
                raise FaultFound(name, 0, f"参数“{name.text}”既没有单位也没有数值", "请写 单位: 元/月，或写 数值 和 自")
            return None
        unit = fields["单位"].words("单位")
        key = _key_of(fields["按"]) if "按" in fields else None
        limits = [fields[word].words(word) if word in fields else None for word in ("不低于", "不高于")]
        return Declared(name.text.strip(), unit.text.strip(), type_of_unit(unit), name, key, *limits)

    def _dated_value(self, entry: Entry, fields: dict[str, Entry], programme: str, name: Source) -> ParameterEntry:
        return ParameterEntry(
            programme=programme,
            name=name.text.strip(),
            division=self.division,
            valid_from=day_of(field_of(entry, fields, "自")),
            valid_to=day_of(fields["至"]) if "至" in fields else None,
            text=fields["数值"].words("数值") if "数值" in fields else name,
            source=field_of(entry, fields, "来源").words("来源").text.strip(),
            assumption="示例假设" in fields and is_yes(fields["示例假设"]),
            at=name,
            rows=read_rows(entry, fields) if "档" in fields else None,
            replaces=self.replaces,
        )


def _key_of(entry: Entry) -> Type:
    if entry.items is None:
        return key_type(entry.words("按"))
    if not entry.items:
        raise FaultFound(entry.at, 0, "“按”没有写选项", "写单位（如 岁），或 [全自理, 半护理, 全护理]")
    return key_type(tuple(item.words("按") for item in entry.items))


def read_rows(entry: Entry, fields: Mapping[str, Entry]) -> Rows:
    """档 and 其余 of a table."""
    if "档" not in fields:
        raise FaultFound(entry.at, 0, "表没有写“档”", "例如 档: [{满: 80 岁, 数值: 50 元/月}]")
    items = fields["档"].sequence("档")
    if not 0 < len(items) <= ROWS_MAX:
        raise FaultFound(fields["档"].at, 0, f"表有 {len(items)} 档", f"请写 1 到 {ROWS_MAX} 档")
    rest = fields["其余"].words("其余") if "其余" in fields else None
    return Rows(entry.at, tuple(_row(item) for item in items), rest)


def _row(entry: Entry) -> Row:
    fields = entry.mapping("档", (FROM, EXACTLY, "数值", "说明"))
    words = [word for word in (FROM, EXACTLY) if word in fields]
    if len(words) != 1:
        raise FaultFound(entry.at, 0, f"一档要写“{FROM}”或“{EXACTLY}”之一", "例如 {满: 80 岁, 数值: 50 元/月}")
    return Row(words[0], fields[words[0]].words(words[0]), field_of(entry, fields, "数值").words("数值"))


def _fixed_word(key: str, entry: Entry) -> str:
    """A head field's text; where only certain words are allowed, the code of the word."""
    words = entry.words(key)
    text = words.text.strip()
    if key == "简称" and len(text) != 4:
        raise FaultFound(words, 0, f"简称“{text}”有 {len(text)} 个字", "存折摘要用四字简称，请写四个字")
    if key not in WORDS:
        return text
    if text not in WORDS[key]:
        remedy = nearest(text, WORDS[key]) or f"可写的有：{'、'.join(WORDS[key])}"
        raise FaultFound(words, 0, f"{key}没有“{text}”", remedy)
    return WORDS[key][text]


def _value(entry: Entry) -> Written:
    fields = entry.mapping("数值", ("名称", "算式", "依据", "说明", "作废"))
    name = field_of(entry, fields, "名称").words("名称")
    if "作废" in fields and is_yes(fields["作废"]):
        return Written(name.text.strip(), name, drop=True)
    expression = field_of(entry, fields, "算式").words("算式")
    return Written(name.text.strip(), expression, text_of(fields, "说明"), text_of(fields, "依据"), at=name)


def _condition(entry: Entry) -> Written:
    fields = entry.mapping("条件", ("编号", "说明", "算式", "依据", "材料", "作废"))
    key = field_of(entry, fields, "编号").words("编号")
    if "作废" in fields and is_yes(fields["作废"]):
        return Written(key.text.strip(), key, drop=True)
    expression = field_of(entry, fields, "算式").words("算式")
    text = field_of(entry, fields, "说明").words("说明").text.strip()
    citation = field_of(entry, fields, "依据").words("依据").text.strip()
    return Written(key.text.strip(), expression, text, citation, text_of(fields, "材料"), at=key)


def read_exclusion(entry: Entry) -> Written:
    fields = entry.mapping("排除", ("项目", "说明", "依据", "材料", "范围", "作废"))
    code = field_of(entry, fields, "项目").words("项目")
    if "作废" in fields and is_yes(fields["作废"]):
        return Written(code.text.strip(), code, drop=True)
    citation = field_of(entry, fields, "依据").words("依据").text.strip()
    scope = text_of(fields, "范围")
    if scope not in ("", *SCOPES):
        raise FaultFound(fields["范围"].words("范围"), 0, f"范围没有“{scope}”", f"可写的有：{'、'.join(SCOPES)}")
    paper = text_of(fields, "材料")
    return Written(code.text.strip(), code, text_of(fields, "说明"), citation, paper, at=code, scope=scope)


def _case(entry: Entry, division: str, shared: Entry | None) -> Case:
    fields = entry.mapping("案例", ("编号", "说明", "日期", "区划", "参数", "户", "成员", "享受", "符合", "结果"))
    name = field_of(entry, fields, "编号").words("编号")
    place = division_of(fields["区划"]) if "区划" in fields else division
    return Case(name.text.strip(), name, fields, shared, place)
