"""Chipweir as a library: light to import, short to print, the numbers of the rooms, sources and limits in each answer."""

import base64
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from synthetic_run import synthetic_run

import chipweir as cw
from chipweir import facts, perf, rules, store, world
from chipweir.errors import InputError, UnknownName
from chipweir.library import Answer, Order, Results, Source, attributed, manifest


HEAVY = ("jax", "numpy", "xarray", "plotly", "dash", "pandas", "pydantic", "typer", "duckdb", "chipweir.facts")


def test_the_import_brings_nothing_with_it() -> None:
    script = f"import sys, chipweir; dir(chipweir); print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_is_there_and_listed() -> None:
    for name in cw.__all__:
        assert getattr(cw, name) is not None
        assert name in dir(cw)
    with pytest.raises(AttributeError, match="no attribute 'licens'"):
        _ = cw.licens  # type: ignore[attr-defined]


def test_types_are_published() -> None:
    assert (Path(cw.__file__).parent / "py.typed").exists()


QUESTIONS = {
    "facts": lambda lang: cw.show("H20", lang=lang),
    "licence": lambda lang: cw.licence("H20", to="CN", on="2025-05-01", lang=lang),
    "classification": lambda lang: cw.classify({"tpp": 4800, "die_mm2": 800}, lang=lang),
    "estimate": lambda lang: cw.estimate("DeepSeek-V3", on="H100", chips=32, lang=lang, isl=1024, osl=1024),
    "match": lambda lang: cw.match("H20", "H100", "deepseek-v3", lang=lang),
    "check": lambda lang: cw.check("SMIC's 7nm yield is 40%.", published="2025-12-01", lang=lang),
}


@pytest.fixture(scope="module", params=QUESTIONS)
def answer(request: pytest.FixtureRequest) -> Answer:
    found: Answer = QUESTIONS[request.param]("en")
    assert found.kind == request.param
    return found


def test_an_answer_prints_on_one_line_and_shows_all_of_itself(answer: Answer) -> None:
    assert "\n" not in repr(answer)
    assert len(repr(answer)) <= 120
    page = answer._repr_html_()
    assert page.count("<tr>") == len(answer.rows) + 1
    assert answer.headline in str(answer)
    assert {len(row) for row in answer.rows} == {len(answer.columns)}
    assert len(answer.to_pandas()) == len(answer.rows)


def test_an_answer_names_sources_and_limits(answer: Answer) -> None:
    assert answer.sources
    assert answer.limits
    assert len(set(answer.sources)) == len(answer.sources)
    assert all(source.title for source in answer.sources)
    document = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert document["answer"] == answer.headline
    assert len(document["sources"]) == len(answer.sources)


def test_answers_speak_korean() -> None:
    for ask in (QUESTIONS["licence"], QUESTIONS["classification"], QUESTIONS["check"]):
        korean = ask("ko")
        assert any("가" <= letter <= "힣" for letter in str(korean))
    assert cw.i18n.language() == "en"


def test_numbers_are_those_of_the_rooms() -> None:
    decision = rules.decide({"item": "H20", "to": "CN", "export_date": "2025-05-01"})
    asked = cw.licence("H20", to="CN", on="2025-05-01")
    assert (asked.outcome, asked.licence, asked.review) == (decision.outcome, decision.licence, decision.review)
    found = perf.estimate("DeepSeek-V3", "H100", chips=32, target_tpot_ms=50.0)
    assert cw.estimate("DeepSeek-V3", on="H100", chips=32).quantities == found.quantities
    memory = next(row for row in cw.show("H20").rows if row[0] == "memory")
    assert float(memory[1]) == facts.load().chip("H20").memory_gb.best


def test_own_facts_and_rules_hold_for_one_question_only(tmp_path: Path) -> None:
    usual = cw.classify("H20").eccn
    (tmp_path / "chip_values.csv").write_text(
        "chip,quantity,central,unit,source,preferred\nnvidia-h20,tpp,9000,bit*TOP/s,my-meter,yes\n",
        encoding="utf-8",
    )
    (tmp_path / "sources.csv").write_text("id,title,cls\nmy-meter,My own measurement,own\n", encoding="utf-8")
    changed = cw.classify("H20", facts=[tmp_path])
    assert changed.record["tpp"] == 9000
    assert changed.eccn != usual
    assert cw.classify("H20").eccn == usual


def test_what_is_not_known_is_said_in_one_line() -> None:
    with pytest.raises(UnknownName, match="H200"):
        cw.licence("H2000", to="CN")
    with pytest.raises(InputError):
        cw.estimate("DeepSeek-V3", on="H100", chips=-1)
    with pytest.raises(AttributeError, match="its record holds"):
        _ = cw.classify("H20").colour


def test_texts_of_others_are_not_read_as_html() -> None:
    rows = (("<script>alert(1)</script>",),)
    shady = Source("s", "<b>title</b>", url='javascript:alert(1)"')
    page = Answer("facts", "<i>h</i>", ("a",), rows, {}, (shady,), ())._repr_html_()
    assert "<script>" not in page
    assert "<i>" not in page
    assert "href" not in page


@pytest.fixture(scope="module")
def results() -> Results:
    dataset = synthetic_run()
    names = [str(name) for name in dataset["scenario"].values]
    known = [name for name in names if name in world.preset_names()]
    order = Order(tuple(world.load_scenario(name) for name in known), 200, 7)
    made = manifest(order, facts.load(), ("chipweir", "run"))
    return Results(attributed(dataset, made), made, order)


def test_a_run_shows_its_variables(results: Results) -> None:
    assert "compute" in dir(results)
    assert "\n" not in repr(results)
    assert len(repr(results)) < 200
    assert "200 members, seed 7" in repr(results)
    assert results.compute.unit == "H100e"
    with pytest.raises(UnknownName, match="compute"):
        _ = results["computes"]
    with pytest.raises(AttributeError):
        _ = results.computes
    assert "<table>" in results._repr_html_()
    assert "<table>" in results.compute.sel(region="CHN")._repr_html_()


def _array(drawn: Any) -> np.ndarray:
    """The numbers of a trace, which may be packed."""
    if isinstance(drawn, dict):
        return np.frombuffer(base64.b64decode(drawn["bdata"]), drawn["dtype"])
    return np.array(() if drawn is None else drawn, dtype=float)


def test_a_plot_draws_the_numbers_of_the_run(results: Results) -> None:
    drawn = results.compute.sel(region="CHN").plot(scenarios=["baseline"])
    median = results.dataset["compute"].sel(scenario="baseline", region="CHN", quantile=0.5).values
    lines = [line for trace in drawn.data if len(line := _array(trace.y)) == len(median)]
    factors = [line / median for line in lines]
    (whole,) = (factor[0] for factor in factors if np.allclose(factor, factor[0], rtol=1e-4))
    assert math.log10(whole) % 3 == pytest.approx(0, abs=1e-4), "drawn in H100e, thousands or millions of them"
    assert results.compute.plot().layout.title.text == drawn.layout.title.text


def test_labels_are_checked(results: Results) -> None:
    with pytest.raises(UnknownName, match="region 'CHM'"):
        results.compute.sel(region="CHM")
    with pytest.raises(UnknownName, match="axis of compute 'place'"):
        results.compute.sel(place="CHN")


def test_a_comparison_holds_the_paired_differences(results: Results) -> None:
    other = next(name for name in results.scenarios if name != "baseline")
    found = results.compare(other, "baseline", years=(2030,))
    row = next(each for each in found.record["differences"] if each["key"] == "compute")
    delta = results.dataset["delta_compute"].sel(scenario=other, region="CHN", month="2030-12").squeeze()
    assert row["median"] == pytest.approx(float(delta.sel(quantile=0.5)))
    assert found.sources[0].note == results.manifest["facts_digest"]


def test_a_saved_run_is_opened_with_seed_and_manifest(results: Results, tmp_path: Path) -> None:
    stored = results.save(tmp_path, report=False)
    again = cw.open_run(stored.id, tmp_path)
    xr.testing.assert_equal(again.dataset, results.dataset)
    assert again.dataset.attrs["seed"] == 7
    assert json.loads(again.dataset.attrs["manifest"])["identity"] == stored.manifest["identity"]
    assert stored.results.attrs["code_version"] == cw.__version__
    store.export_run(stored, tmp_path / "run.nc", ["compute"])
    with xr.open_dataset(tmp_path / "run.nc") as exported:
        assert exported.attrs["seed"] == 7
        assert exported.attrs["facts_digest"] == facts.load().digest


@pytest.mark.slow
def test_a_run_is_repeated_by_its_seed() -> None:
    one, other = (cw.run("baseline", members=8, seed=3) for _ in range(2))
    assert store.dataset_digest(one.dataset) == store.dataset_digest(other.dataset)
    assert one.compute.plot() is not None
