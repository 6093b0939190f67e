"""The commands as a user meets them: text, JSON, exit codes, one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest

from chipweir.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as done:
        code = int(done.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


def test_classify_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "classify", "H20", "--on", "2025-06-01", "--trace")
    assert code == 0
    assert "not_3A090" in out
    assert "3.2" in out
    assert "Not legal advice" in out
    found = document(capsys, "classify", "H20", "--on", "2025-06-01")
    assert found["eccn"] == "not_3A090"
    assert found["tpp"] == 2368
    thresholds = {(m["quantity"], m["threshold"]) for m in [found["margin"], *found["margin"]["others"]]}
    assert thresholds == {("tpp", 2400), ("pd", 3.2)}
    assert all({"question", "rule", "test", "outcome"} <= set(step) for step in found["trace"])


def test_classify_a_spec(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "chip.yaml"
    spec.write_text("modes: [{tops: 300, bits: 16}]\ndie_mm2: 600\ndc: no\n", encoding="utf-8")
    assert document(capsys, "classify", str(spec), "--on", "2024-01-01")["tpp"] == 4800
    spec.write_text("tpp: 1\ndice_mm2: 3\n", encoding="utf-8")
    code, out, err = run(capsys, "classify", str(spec))
    assert (code, out) == (2, "")
    assert "die_mm2" in err


FIELDS = {
    "eccn", "tpp", "pd", "licence", "review", "exception", "basis", "tariff_25pct", "import_stance", "trace", "margin",
    "verified_until",
}  # fmt: skip


def test_licence_json_has_the_promised_fields(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "licence", "H200", "--to", "CN", "--from", "US", "--on", "2026-01-15")
    assert set(found) >= FIELDS
    assert (found["licence"], found["review"], found["tariff_25pct"]) == ("yes", "case_by_case", True)
    assert found["verified_until"] == "2026-10-09"
    assert document(capsys, "licence", "H200", "--to", "CN", "--on", "2026-10-10")["not_verified"] is True


@pytest.mark.parametrize("to", ["CN", "cn", "CHN", "China", "중국", "中国", "PRC"])
def test_countries_by_any_name(capsys: pytest.CaptureFixture[str], to: str) -> None:
    assert document(capsys, "licence", "H100", "--to", to, "--on", "2024-06-01")["to"] == "CN"


def test_options_reach_the_decision(capsys: pytest.CaptureFixture[str]) -> None:
    base = ["licence", "H100", "--on", "2025-06-01"]
    assert document(capsys, *base, "--to", "SG", "--hq", "CN")["licence"] == "yes"
    written = [*base, "--to", "MY", "--hq", "MY", "--mode", "as_written", "--quantity"]
    assert document(capsys, *written, "1700")["exception"] == "none"
    assert document(capsys, *written, "1699")["exception"] == "LPP"
    assert document(capsys, *base, "--to", "CN", "--end-user", "military")["licence"] == "yes"
    uae = document(capsys, "licence", "H100", "--on", "2026-08-01", "--to", "AE", "--end-user", "Microsoft")
    assert uae["exception"] == "named_entity"
    text = run(capsys, *base, "--to", "CN")[1]
    assert "needs a licence" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["licence", "H2000X", "--to", "CN"], "unknown chip"),
        (["licence", "H20", "--to", "Chyna"], "unknown country"),
        (["licence", "H20", "--to", "CN", "--on", "2025-02-31"], "is not a date"),
        (["licence", "H20"], "--to"),
        (["licence"], "name a chip"),
        (["licence", "H20", "--to", "CN", "--quantity", "-3"], "below 0"),
        (["licence", "H20", "--to", "CN", "--route", "fly"], "fly"),
        (["licence", "H20", "--to", "CN", "--out", "x.png"], "--history"),
        (["licence", "H20", "--to", "CN", "--history", "--out", "x.doc"], ".html"),
        (["licence", "H20", "--to", "CN", "--history", "--out", "nowhere/x.html"], "does not exist"),
        (["licence", "--batch", "nowhere.jsonl"], "cannot read"),
        (["licence", "H20", "--batch", "nowhere.jsonl"], "leave out"),
        (["classify", "nowhere.yaml"], "cannot read"),
        (["classify", ""], "empty"),
        (["classify", "H20", "--rules", "nowhere.yaml"], "cannot read"),
        (["rules", "show", "US-2026-0"], "did you mean US-2026-0"),
        (["rules", "list", "--on", "soon"], "is not a date"),
    ],
)
def test_bad_input_is_one_line_and_two(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert "Traceback" not in err


def test_batch_exit_code_and_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    good = '{"id": "x", "item": "H20", "to": "CN", "export_date": "2025-05-01"}'
    path.write_text(f"{good}\nbroken\n{good}\n", encoding="utf-8")
    code, out, err = run(capsys, "licence", "--batch", str(path), "--json")
    assert code == 2
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["line"] for line in lines] == [1, 2, 3]
    assert "error" in lines[1]
    assert lines[0]["licence"] == lines[2]["licence"] == "yes"
    assert "line 2" in err
    path.write_text(f"{good}\n", encoding="utf-8")
    assert run(capsys, "licence", "--batch", str(path))[0] == 0


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_batch_that_is_wrong_throughout_says_so_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lang: str
) -> None:
    path = tmp_path / "b.jsonl"
    bad = '{"item": "H20", "to": "CN", "export_date": "soon"}'
    good = '{"item": "H20", "to": "CN", "export_date": "2025-05-01"}'
    path.write_text("\n".join([bad] * 1500 + [good]), encoding="utf-8")
    code, out, err = run(capsys, "licence", "--batch", str(path), "--lang", lang)
    assert code == 2
    assert out.startswith("1501: ")
    assert len(err.splitlines()) == 20 + 3, "errors, how many more, the counts, what no answer is"
    assert "1,480" in err or "1480" in err
    assert ("날짜" in err) == (lang == "ko"), "each wrong line in the reader's language"
    _, out, _ = run(capsys, "licence", "--batch", str(path), "--json")
    assert len(out.splitlines()) == 1501, "a machine gets an answer to every line"


def test_a_batch_with_thousands_of_columns_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "b.csv"
    path.write_text(",".join(f"c{i}" for i in range(50_000)) + "\n", encoding="utf-8")
    code, out, err = run(capsys, "licence", "--batch", str(path))
    assert (code, out) == (2, "")
    assert "50,000 cells; at most 500" in err


def test_history_as_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "licence", "H20", "--to", "CN", "--history", "--on", "2026-06-30")
    changes = {(c["from"], c["licence"], c["review"], c["import_stance"]) for c in found["changes"]}
    assert ("2025-04-09", "yes", "unspecified", "open") in changes
    assert ("2025-07-31", "yes", "unspecified", "discouraged") in changes
    assert not any(review == "case_by_case" for _, _, review, _ in changes), "letters state no policy"
    spells = found["changes"]
    assert spells[0]["from"] == "2022-01-01"
    assert spells[-1]["until"] == "2026-06-30"
    grid = found["grid"]
    assert len(grid["status"]) == len(grid["chips"])
    assert all(len(row) == len(grid["months"]) == 54 for row in grid["status"])
    code, out, _ = run(capsys, "licence", "H20", "--to", "CN", "--history", "--on", "2026-06-30")
    assert code == 0
    assert "2025-04-09" in out


def test_history_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "h.html"
    code, _, _ = run(capsys, "licence", "H20", "--to", "CN", "--history", "--on", "2026-06-30", "--out", str(path))
    assert code == 0
    assert "H20" in path.read_text(encoding="utf-8")


def test_screening_flags_and_never_decides(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = tmp_path / "list.csv"
    names.write_text(
        "name,alt_names,source\nHuawei Technologies Co. Ltd.,Huawei;HiSilicon,EL\nACME Holdings,,EL\n", encoding="utf-8"
    )
    base = ["licence", "T4", "--to", "CN", "--on", "2025-01-01", "--end-user"]
    flagged = document(capsys, *base, "ACME Holding", "--screening", str(names))
    clean = document(capsys, *base, "Some Bakery", "--screening", str(names))
    assert flagged["screening"][0]["list"] == "EL"
    assert clean["screening"] == []
    assert flagged["licence"] == clean["licence"] == "no"
    names.write_text("title\nx\n", encoding="utf-8")
    code, _, err = run(capsys, *base, "x", "--screening", str(names))
    assert code == 2
    assert "no column of names" in err


def test_rules_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    listed = document(capsys, "rules", "list", "--on", "2026-06-01")
    states = {row["id"]: (row["enforced"], row["as_written"]) for row in listed["rules"]}
    assert states["US-2025-01D"] == ("not_enforced", "in_force")
    assert states["US-2025-09A"] == ("stayed", "stayed")
    assert states["US-2025-07P"] == ("reported", "reported")
    assert states["US-2026-07"] == ("not yet", "not yet")
    shown = document(capsys, "rules", "show", "US-2023-10")
    assert any(entry["id"] == "US-2023-10/headquarters" for entry in shown["carries"])
    assert "FR23" in shown["sources"]
    assert "NI" in document(capsys, "rules", "show", "D:5", "--on", "2024-06-01")["entries"][0]["members_on_the_day"]
    assert run(capsys, "rules", "show", "NAC")[0] == 0


def test_overlay_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text("enact: [{instrument: US-2025-07P, from: 2027-01-01}]\n", encoding="utf-8")
    found = document(capsys, "licence", "H100", "--to", "MY", "--on", "2027-02-01", "--rules", str(path))
    assert found["licence"] == "yes"
