"""Policy texts carried from one place to another: a folder or a zip file, written and read (POL-01, POL-02).

in    texts by path (`national/dibao-rural.yaml`); or a folder or zip that somebody hands in
out   the same texts in a folder or zip; the same texts always give the same bytes

What is handed in may be broken or hostile. Whatever is not a plain UTF-8 `.yaml` file of reasonable size at a plain path
is refused with its name before anything else looks at it: no links, no paths that lead outside, no file twice, nothing
that unpacks to more than the limits below. Files that are not YAML are left alone: they are no policies.
"""

import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from huimin.kernel.errors import BadInput
from huimin.rules.reading import is_bank

FILES_MAX = 2_000
FILE_BYTES_MAX = 2_000_000
TOTAL_BYTES_MAX = 50_000_000
PATH_LENGTH_MAX = 120
_PART = re.compile(r"[^\W.][\w. ()（）-]*")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest day a zip file can name
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1


# -- reading


def read_bundle(source: Path) -> dict[str, str]:
    """Path → text of every policy file in a folder or zip. Raises BadInput, which names the file."""
    if not (source.is_dir() or source.is_file()):
        raise BadInput("没有这个文件或文件夹", where=str(source), remedy="请核对名称")
    found: dict[str, bytes] = {}
    total = 0
    for path, raw in _folder_files(source) if source.is_dir() else _zip_files(source):
        require_plain_path(path)
        _refuse_twice(path, found)
        total += len(raw)
        if len(found) >= FILES_MAX or total > TOTAL_BYTES_MAX:
            raise _too_much(source)
        found[path] = raw
    if not found:
        raise BadInput("没有政策文件", where=source.name, remedy="政策文件的名称以 .yaml 结尾")
    return {path: _decoded(path, raw) for path, raw in sorted(found.items())}


def require_plain_path(path: str) -> None:
    """Relative, downwards, without surprises on any system. Raises BadInput."""
    parts = path.split("/")
    plain = all(_PART.fullmatch(part) and not part.endswith((" ", ".")) for part in parts)
    if not plain or len(path) > PATH_LENGTH_MAX:
        remedy = f"请用文件夹内的相对路径，字母、汉字、数字和连字符，不超过 {PATH_LENGTH_MAX} 字，例如 national/dibao-rural.yaml"
        raise BadInput("文件名不能用", where=_shown(path), remedy=remedy)


def _refuse_twice(path: str, found: dict[str, bytes]) -> None:
    if path.casefold() in {known.casefold() for known in found}:
        raise BadInput("同一个文件出现两次（只差大小写也算）", where=_shown(path), remedy="请删去一个")


def _folder_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted([*folders, *names]):
            file = Path(place) / name
            path = file.relative_to(folder).as_posix()
            mode = file.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise BadInput("是符号链接", where=_shown(path), remedy="请换成文件本身")
            if not stat.S_ISDIR(mode) and _is_policy(path):
                if not stat.S_ISREG(mode):
                    raise BadInput("不是普通文件", where=_shown(path), remedy="请移走")
                yield path, _bytes_of(file, path)


def _bytes_of(file: Path, path: str) -> bytes:
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
            raw = opened.read(FILE_BYTES_MAX + 1)
    except OSError as cause:
        raise BadInput("读不出来", where=_shown(path), why=cause.strerror or "", remedy="请检查权限") from None
    return _bounded(path, raw)


def _zip_files(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.stat().st_size > TOTAL_BYTES_MAX:
        raise _too_much(source)
    try:
        with zipfile.ZipFile(source) as archive:
            if len(archive.infolist()) > FILES_MAX:
                raise _too_much(source)
            for entry in archive.infolist():
                _refuse_odd(entry)
                if not entry.is_dir() and _is_policy(entry.filename):
                    yield entry.filename, _unpacked(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as cause:
        raise BadInput(
            "不是完好的 zip 文件", where=source.name, why=str(cause)[:100], remedy="请重新打包或重新传输"
        ) from None


def _refuse_odd(entry: zipfile.ZipInfo) -> None:
    """Links, ciphers and names in an unknown encoding; the path itself too, also of what is not a policy."""
    name = entry.filename
    if not name.isascii() and not entry.flag_bits & _UTF8_NAME:
        raise BadInput("文件名不是 UTF-8 编码", where=_shown(name), remedy="请用英文字母命名，或换一个打包软件")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise BadInput("是符号链接", where=_shown(name), remedy="请换成文件本身")
    if entry.flag_bits & _ENCRYPTED:
        raise BadInput("加了密码", where=_shown(name), remedy="请去掉密码重新打包")
    if name != entry.orig_filename or name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise BadInput("路径指到了文件夹之外", where=_shown(entry.orig_filename), remedy="请重新打包")
    if entry.file_size > FILE_BYTES_MAX and _is_policy(name):
        _bounded(name, b" " * (FILE_BYTES_MAX + 1))


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """At most one byte more than a file may have, whatever the archive says of its size."""
    with archive.open(entry) as opened:
        return _bounded(entry.filename, opened.read(FILE_BYTES_MAX + 1))


def _bounded(path: str, raw: bytes) -> bytes:
    if len(raw) > FILE_BYTES_MAX:
        raise BadInput(f"文件超过 {FILE_BYTES_MAX // 1_000_000} MB", where=_shown(path), remedy="请拆成几个文件")
    return raw


def _too_much(source: Path) -> BadInput:
    limit = f"至多 {FILES_MAX} 个文件、合计 {TOTAL_BYTES_MAX // 1_000_000} MB"
    return BadInput("文件太多或太大", where=source.name, why=limit, remedy="请只放政策文件")


def _is_policy(path: str) -> bool:
    """Whether it claims to be a policy. Raises BadInput for spellings that look like one and would be passed over."""
    suffix = path.rpartition(".")[2]
    if suffix != "yaml" and suffix.lower() in ("yaml", "yml"):
        raise BadInput("扩展名应当是 .yaml", where=_shown(path), remedy="请改名，以免漏读")
    return suffix == "yaml" and not is_bank(path)


def _decoded(path: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("文件不是 UTF-8 编码", where=_shown(path), remedy="请另存为 UTF-8 后再试") from None


def _shown(path: str) -> str:
    """A name from outside, made safe to print."""
    clean = "".join(char if char.isprintable() else "�" for char in path)
    return clean if len(clean) <= 200 else clean[:200] + "…"


# -- writing


def write_bundle(texts: dict[str, str], target: Path) -> bool:
    """Write a folder, or a zip when the name ends so; whether anything was written. Raises BadInput when it is taken.

    What is there with the same content is left alone; with another content it is never overwritten.
    """
    for path in texts:
        require_plain_path(path)
    if not target.parent.is_dir():
        raise BadInput("上一级文件夹不存在", where=str(target), remedy="请先建立文件夹")
    return _write_zip(texts, target) if target.suffix == ".zip" else _write_folder(texts, target)


def _write_folder(texts: dict[str, str], target: Path) -> bool:
    if target.exists():
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        elif target.is_dir() and read_bundle(target) == texts:
            return False
        else:
            raise _taken(target)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    part.chmod(0o755)
    for path, text in texts.items():
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        (part / path).write_text(text, encoding="utf-8", newline="")
    part.rename(target)
    return True


def _write_zip(texts: dict[str, str], target: Path) -> bool:
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:  # stored: no library's compression in the bytes
        for path, text in sorted(texts.items()):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, text.encode("utf-8"))
    if target.exists():
        same = target.is_file() and target.read_bytes() == part.read_bytes()
        part.unlink()
        if not same:
            raise _taken(target)
        return False
    part.rename(target)
    return True


def _taken(target: Path) -> BadInput:
    return BadInput("已有别的内容", where=str(target), remedy="请换一个名称，或先移走")
