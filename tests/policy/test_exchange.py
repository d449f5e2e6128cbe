"""Policy texts in folders and zip files: the same bytes out, nothing hostile in (POL-01, POL-02)."""

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from huimin.kernel.errors import BadInput
from huimin.policy import exchange
from huimin.policy.exchange import read_bundle, write_bundle

TEXTS = {"national/a.yaml": "项目: 甲\n", "sample-county/参数.yaml": "区划: 乙\r\n"}


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return path


@pytest.mark.parametrize("name", ["book", "book.zip"])
def test_pol_01_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    """POL-01: every byte, line ends too; a second time nothing is written."""
    assert write_bundle(TEXTS, tmp_path / name)
    assert read_bundle(tmp_path / name) == TEXTS
    assert not write_bundle(TEXTS, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_pol_01_the_same_texts_give_the_same_zip(tmp_path: Path) -> None:
    write_bundle(TEXTS, tmp_path / "one.zip")
    write_bundle(dict(reversed(TEXTS.items())), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize("name", ["book", "book.zip"])
def test_pol_01_other_content_is_never_overwritten(tmp_path: Path, name: str) -> None:
    write_bundle(TEXTS, tmp_path / name)
    with pytest.raises(BadInput, match="已有别的内容"):
        write_bundle({"national/a.yaml": "另\n"}, tmp_path / name)
    assert read_bundle(tmp_path / name) == TEXTS
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_pol_01_a_path_of_the_database_cannot_lead_out(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.\./x\.yaml"):
        write_bundle({"../x.yaml": ""}, tmp_path / "book")
    assert list(tmp_path.iterdir()) == []


def linked() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("national/link.yaml")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../out.yaml", "文件夹之外"), ("/etc/x.yaml", "文件夹之外"), ("a/../../x.yaml", "文件夹之外"),
        ("..\\x.yaml", "文件名不能用|文件夹之外"), ("C:/x.yaml", "文件名不能用"), ("a//b.yaml", "文件名不能用"),
        ("a/.hidden.yaml", "文件名不能用"), ("a\nb.yaml", "文件名不能用"), ("x" * 130 + ".yaml", "文件名不能用"),
        ("a.yml", "扩展名"), ("a.YAML", "扩展名"), ("../note.txt", "文件夹之外"),
    ],
)  # fmt: skip
def test_pol_02_odd_names_in_a_zip_are_refused(tmp_path: Path, name: str, told: str) -> None:
    """POL-02: zip slips, drives, hidden files, look-alikes; nothing is unpacked anywhere."""
    source = zipped(tmp_path / "in.zip", (name, b"x: 1"), ("national/a.yaml", b"x: 1"))
    with pytest.raises(BadInput, match=told):
        read_bundle(source)
    assert [path.name for path in tmp_path.iterdir()] == ["in.zip"]


def test_pol_02_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"national/link\.yaml：是符号链接"):
        read_bundle(zipped(tmp_path / "in.zip", (linked(), b"/etc/passwd")))
    folder = tmp_path / "book"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.yaml").write_text("x: 1")
    (folder / "deep" / "b.yaml").symlink_to("/etc/passwd")
    with pytest.raises(BadInput, match=r"deep/b\.yaml：是符号链接"):
        read_bundle(folder)
    (folder / "deep" / "b.yaml").unlink()
    (folder / "elsewhere").symlink_to("/etc")
    with pytest.raises(BadInput, match="elsewhere：是符号链接"):
        read_bundle(folder)


def test_pol_02_a_pipe_does_not_make_it_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    with pytest.raises(BadInput, match=r"a\.yaml：不是普通文件"):
        read_bundle(tmp_path)


def test_pol_02_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """POL-02: one large file, many small ones, and a header that lies about the size."""
    with pytest.raises(BadInput, match=r"big\.yaml：文件超过 2 MB"):
        read_bundle(zipped(tmp_path / "big.zip", ("big.yaml", b" " * 3_000_000)))
    many = [(f"f{number}.yaml", b"x: 1") for number in range(exchange.FILES_MAX + 1)]
    with pytest.raises(BadInput, match=r"many\.zip：文件太多或太大"):
        read_bundle(zipped(tmp_path / "many.zip", *many))
    monkeypatch.setattr(exchange, "TOTAL_BYTES_MAX", 1_500_000)
    some = [(f"f{number}.yaml", b" " * 400_000) for number in range(4)]
    with pytest.raises(BadInput, match=r"some\.zip：文件太多或太大"):
        read_bundle(zipped(tmp_path / "some.zip", *some))


def damaged(raw: bytes) -> bytes:
    return raw.replace("项目".encode(), b"??????", 1)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-30], damaged, lambda raw: b"PK" + raw[200:], lambda raw: b""])
def test_pol_02_a_damaged_zip_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    write_bundle(TEXTS, tmp_path / "in.zip")
    (tmp_path / "in.zip").write_bytes(spoil((tmp_path / "in.zip").read_bytes()))
    with pytest.raises(BadInput, match=r"in\.zip：不是完好的 zip 文件"):
        read_bundle(tmp_path / "in.zip")


def test_pol_02_encodings_and_repetitions_are_named(tmp_path: Path) -> None:
    gbk = "项目: 低保".encode("gb18030")
    with pytest.raises(BadInput, match=r"national/a\.yaml：文件不是 UTF-8"):
        read_bundle(zipped(tmp_path / "gbk.zip", ("national/a.yaml", gbk)))
    with pytest.raises(BadInput, match="出现两次"):
        read_bundle(zipped(tmp_path / "twice.zip", ("national/a.yaml", b"x: 1"), ("National/A.yaml", b"x: 2")))
    write_bundle({"文件.yaml": "x: 1"}, tmp_path / "named.zip")
    raw = (tmp_path / "named.zip").read_bytes()
    utf8, other = "文件".encode(), "文件名".encode("gbk")
    assert len(utf8) == len(other)
    spoilt = raw.replace(utf8, other).replace(b"\x14\x00\x00\x08", b"\x14\x00\x00\x00")
    (tmp_path / "named.zip").write_bytes(spoilt)
    with pytest.raises(BadInput, match="文件名不是 UTF-8"):
        read_bundle(tmp_path / "named.zip")


def test_pol_02_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="没有这个文件或文件夹"):
        read_bundle(tmp_path / "nowhere")
    (tmp_path / "README.md").write_text("no policy")
    with pytest.raises(BadInput, match="没有政策文件"):
        read_bundle(tmp_path)


def test_pol_02_the_shipped_folder_is_a_bundle() -> None:
    folder = Path(__file__).resolve().parents[2] / "policy"
    texts = read_bundle(folder)
    assert texts["national/reservoir-migrant.yaml"].startswith("#")
    assert len(texts) == sum(1 for path in folder.rglob("*.yaml") if path.parent.name != "banks")
