"""What must be true of a process as a whole, and of all files together (CASE-04, SEC-02).

in    processes and rules as read
out   faults at their places: unknown names with the nearest, steps nobody reaches, ways without an end, missing time
      limits, approval by whoever accepted, notices without a way for objections
"""

from collections.abc import Iterable, Iterator, Mapping

from huimin.kernel.places import Level
from huimin.processes.language import ALL, END, LEVEL_WORDS, PERCENT_MAX, Process, Rule, Step
from huimin.rules.faults import Fault, FaultFound, Source, nearest


def _fault(source: Source, what: str, remedy: str) -> Fault:
    return FaultFound(source, 0, what, remedy).fault


def check_process(process: Process) -> list[Fault]:
    keys = [step.key for step in process.steps]
    doubled = [step for n, step in enumerate(process.steps) if step.key in keys[:n]]
    if doubled:
        return [_fault(step.at, f"“{step.key}”写了两步", "每一步用不同的名字") for step in doubled]
    unknown = list(_unknown_names(process, keys))
    if unknown:
        return unknown
    checks = (_unreachable, _endless, _deciding, _limits, _objections, _backwards, _four_eyes, _higher, _samples)
    return [fault for check in checks for fault in check(process)]


def _unknown_names(process: Process, keys: list[str]) -> Iterator[Fault]:
    for step in process.steps:
        for field in ("下一步", "退回", "异议", "不同于"):
            allowed = [*keys, END] if field == "下一步" else keys
            for source in step.spots.get(field, ()):
                if source.text.strip() not in allowed:
                    near = nearest(source.text.strip(), allowed) or f"步骤有：{'、'.join(keys)}"
                    yield _fault(source, f"“{step.key}”的{field}写了“{source.text}”，没有这一步", near)


def _unreachable(process: Process) -> Iterator[Fault]:
    reached, waiting = set(), [process.first.key]
    while waiting:
        key = waiting.pop()
        if key != END and key not in reached:
            reached.add(key)
            step = process.step(key)
            waiting += [step.next, *step.returns, *([step.objection] if step.objection else [])]
    for step in process.steps:
        if step.key not in reached:
            yield _fault(step.at, f"没有哪一步通向“{step.key}”", "请在前一步写 下一步，或在公示那一步写 异议")


def _endless(process: Process) -> Iterator[Fault]:
    """Following 下一步 alone, every step comes to the end."""
    told: set[str] = set()
    for start in process.steps:
        seen: list[str] = []
        key = start.key
        while key != END and key not in seen:
            seen.append(key)
            key = process.step(key).next
        if key != END and key not in told:
            told.update(seen)
            step = process.step(seen[-1])
            way = "→".join([*seen[seen.index(key) :], key])
            yield _fault(step.spots["下一步"][0], f"这里绕成了圈，没有出口：{way}", f"请让其中一步的下一步通向“{END}”")


def _deciding(process: Process) -> Iterator[Fault]:
    deciding = [step for step in process.steps if step.decides]
    if len(deciding) != 1:
        where = deciding[1].at if deciding else process.at
        yield _fault(where, f"有 {len(deciding)} 步写了“决定: 是”", "恰好一步作出决定，待遇从这一步产生")
    elif deciding[0].key not in process.main:
        yield _fault(deciding[0].at, f"从第一步直走不经过“{deciding[0].key}”", "作出决定的一步须在正路上")


def _limits(process: Process) -> Iterator[Fault]:
    for step in process.steps:
        if "期限" not in step.spots and process.limit is None:
            yield _fault(
                step.at, f"“{step.key}”没有期限", "写 期限: 7 日；法规没有规定的写 期限: 无规定，或给整个流程写 总期限"
            )
        if step.extended and not step.limit:
            yield _fault(step.at, f"“{step.key}”没有期限却可以延长", "先写 期限")
        if step.limit and step.extended and step.extended.days <= step.limit.days:
            yield _fault(step.at, f"“{step.key}”延长后不比原来长", f"可延长至 应多于 {step.limit}")
        days = max((each.number for each in step.demands if each.kind == "公示"), default=0)
        if days and step.limit and not step.limit.working and step.limit.days <= days:
            yield _fault(step.spots["期限"][0], f"公示 {days} 天，{step.limit}办不完", f"期限应多于 {days} 日")
    if process.extended and (not process.limit or process.extended.days <= process.limit.days):
        yield _fault(process.at, "可延长至不比总期限长", "请核对法规")


def _objections(process: Process) -> Iterator[Fault]:
    for step in process.steps:
        published = any(each.kind == "公示" for each in step.demands)
        if published and not step.objection:
            yield _fault(step.at, f"“{step.key}”公示，没有写异议通向哪一步", "写 异议: 重新评议或核实的那一步")
        if step.objection and not published:
            yield _fault(step.spots["异议"][0], f"“{step.key}”没有公示，不会有公示异议", "删去 异议，或在须有里写公示")
        yield from _boards(step)
        if sum(each.kind == "公示" for each in step.demands) > 1:
            yield _fault(step.at, f"“{step.key}”里有两次公示", "一步一次公示，另一次另写一步")


NOTICE_DAYS_MIN = 7
"""What every law we know asks for, and what the notices keep (民发〔2021〕57号 第19条)."""


def _boards(step: Step) -> Iterator[Fault]:
    """A notice hangs long enough, and who puts it up acts at its level."""
    for demand in step.demands:
        if demand.kind != "公示":
            continue
        if demand.number < NOTICE_DAYS_MIN:
            yield _fault(step.at, f"“{step.key}”只公示 {demand.number} 天", f"公示不少于 {NOTICE_DAYS_MIN} 天")
        if demand.level and all(each.level > demand.level for each in step.acting):
            words = LEVEL_WORDS[demand.level]
            yield _fault(
                step.at, f"“{step.key}”在{words}公示，却不由{words}的岗位办理", f"办理写{words}的岗位，或级写低一级"
            )


def _backwards(process: Process) -> Iterator[Fault]:
    order = {step.key: n for n, step in enumerate(process.steps)}
    for step in process.steps:
        for field in ("退回", "不同于"):
            for source in step.spots.get(field, ()):
                if order[source.text.strip()] >= order[step.key]:
                    yield _fault(source, f"“{step.key}”的{field}写了不在它前面的“{source.text}”", "只能写前面的步骤")


def _four_eyes(process: Process) -> Iterator[Fault]:
    """Nobody approves what he entered (SEC-02)."""
    for step in process.steps:
        if step.decides and process.first.key != step.key and process.first.key not in step.another:
            remedy = f"写 不同于: [{process.first.key}]"
            yield _fault(step.at, f"“{step.key}”作出决定，却可以由办“{process.first.key}”的同一个人办", remedy)


def _higher(process: Process) -> Iterator[Fault]:
    """A village does not decide."""
    for step in process.steps:
        if step.decides and any(each.level == Level.VILLAGE for each in step.acting):
            yield _fault(step.at, f"{LEVEL_WORDS[Level.VILLAGE]}不能作出决定", "由乡镇或县作出")


def _samples(process: Process) -> Iterator[Fault]:
    """A sample is drawn by the county, among cases of households."""
    for step in process.steps:
        for demand in (each for each in step.demands if each.kind == "抽查"):
            if demand.number > PERCENT_MAX:
                yield _fault(step.at, f"“{step.key}”的抽查比例写了 {demand.number}%", "写 1% 到 100%")
            if process.subject != "household":
                yield _fault(step.at, f"“{step.key}”要抽查，但流程的对象不是户", "抽查抽的是一户一案；名单流程不写抽查")
            if any(each.level != Level.COUNTY for each in step.acting):
                yield _fault(step.at, f"“{step.key}”由县以下办理，不能以抽查为凭", "乡镇决定的，在流程里写 事后抽查")


def check_together(processes: Iterable[Process], rules: Iterable[Rule], programmes: Mapping[str, str]) -> list[Fault]:
    """Codes once, rules that name what is there. `programmes` are the codes of the policies in use; empty: not checked."""
    faults: list[Fault] = []
    known: dict[str, Process] = {}
    for process in processes:
        if process.code in known:
            faults.append(_fault(process.at, f"流程“{process.code}”写了两份", "每个流程一个编码，改动就改原来的文件"))
        known[process.code] = process
    seen: set[tuple[str, str, object]] = set()
    for rule in rules:
        faults += _check_rule(rule, known, programmes)
        where = (rule.division, rule.programme, rule.valid_from)
        if where in seen:
            faults.append(_fault(rule.at, f"“{rule.programme}”在这里同一天写了两条适用", "请合并成一条"))
        seen.add(where)
    return faults


def _check_rule(rule: Rule, known: Mapping[str, Process], programmes: Mapping[str, str]) -> Iterator[Fault]:
    if programmes and rule.programme != ALL and rule.programme not in programmes:
        near = nearest(rule.programme, programmes) or f"写项目编码，所有项目写 {ALL}"
        yield _fault(rule.at, f"没有“{rule.programme}”这个项目", near)
    for field, code in (("申请", rule.application), ("建议", rule.proposals)):
        if not code:
            continue
        if code not in known:
            near = nearest(code, known) or f"流程有：{'、'.join(known)}"
            yield _fault(rule.spots[field], f"没有“{code}”这个流程", near)
        elif field == "申请" and known[code].subject == "proposals":
            yield _fault(rule.spots[field], f"“{code}”是确认系统建议的流程，不能受理申请", "写对象为 户 或 名单 的流程")
