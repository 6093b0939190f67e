import json
import math
from dataclasses import fields

import numpy as np
import pytest

from chipweir.errors import InputError
from chipweir.perf._configuration import read_configuration
from chipweir.perf._efficiency import (
    TERMS,
    efficiencies,
    from_json,
    group_levels,
    index,
    layout,
    prior,
    shipped,
    to_json,
)
from chipweir.perf._serving import Efficiency


def level(chip="H100", model="Llama-3.1-8B", framework="vllm"):
    return group_levels(
        read_configuration(
            {"chip": chip, "model": model, "framework": framework, "tp": "1", "concurrency": "8", "precision": "bf16"}
        )
    )


def test_every_field_of_an_efficiency_is_a_term():
    assert {t.name for t in TERMS} == {f.name for f in fields(Efficiency)}


def test_shares_lie_between_nothing_and_the_peak_and_times_are_positive():
    posterior = shipped()
    e = efficiencies(
        posterior.mean, index(posterior.form, [level(), level("MI300X", "DeepSeek-V3", "sglang")]), posterior.form
    )
    for term in TERMS:
        values = getattr(e, term.name)
        assert np.all(values > 0), term.name
        if term.form == "share":
            assert np.all(values < 1), term.name


def test_the_prior_is_where_it_says():
    form = layout({"vendor": ["nvidia"]})
    mean, sd = prior(form)
    at = form.place["bandwidth"]
    centre = next(term.centre for term in TERMS if term.name == "bandwidth")
    assert 1 / (1 + math.exp(-mean[at])) == pytest.approx(centre)
    assert mean[form.place["bandwidth[vendor=nvidia]"]] == 0
    assert mean[form.place["layer[year]"]] < 0
    tuners = layout({"engine": ["vllm"]})
    assert prior(tuners)[0][tuners.place["warmup[engine=vllm]"]] == -3.0
    assert np.all(sd > 0)


def test_an_unmet_level_has_no_offset_and_a_wide_spread():
    posterior = shipped()
    met, unmet = level(), {**level(), "vendor": "nobody"}
    where = index(posterior.form, [met, unmet])
    plain = efficiencies(posterior.mean, where, posterior.form)
    assert plain.bandwidth[0] != plain.bandwidth[1]
    drawn = [efficiencies(theta, where, posterior.form) for theta in posterior.unmet()]
    spread = np.std(np.log([d.layer for d in drawn]), axis=0)
    assert spread[1] > spread[0]


def test_a_posterior_survives_its_file():
    posterior = shipped()
    again = from_json(to_json(posterior))
    assert again.form.names == posterior.form.names
    assert np.allclose(again.mean, posterior.mean, atol=1e-4)
    assert again.errors.seen == posterior.errors.seen
    assert again.errors.spans == posterior.errors.spans


def test_the_shipped_posterior_is_small_attributed_and_holds_no_measurements():
    text = to_json(shipped())
    assert len(text) < 300_000
    record = json.loads(text)
    assert record["attribution"]
    assert "--fit" in record["command"]
    assert set(record) == {"attribution", "command", "levels", "mean", "draws", "errors", "added", "seen", "spans"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"levels": {}}', "not json"])
def test_what_is_no_posterior_is_refused(text):
    with pytest.raises(InputError, match="not a fitted posterior"):
        from_json(text, "mine.json")


def test_a_posterior_of_other_terms_is_refused():
    record = json.loads(to_json(shipped()))
    record["mean"] = record["mean"][:-1]
    with pytest.raises(InputError, match="fit it again"):
        from_json(json.dumps(record))


def test_groups_of_a_configuration():
    c = read_configuration(
        {"chip": "B200", "model": "DeepSeek-V3", "framework": "sglang", "tp": "8", "concurrency": "8"}
    )
    found = group_levels(c)
    assert (found["vendor"], found["line"], found["attention"]) == ("nvidia", "nvidia/blackwell", "latent")
    assert (found["unit"], found["format"], found["port"]) == ("fp8", "fp8", "own")
    ported = group_levels(
        read_configuration(
            {"chip": "Ascend 910C", "model": "DeepSeek-V3", "framework": "vllm-ascend", "tp": "8", "precision": "fp8"}
        )
    )
    assert (ported["unit"], ported["format"], ported["port"]) == ("int8", "fp8 as int8", "huawei/vllm")


def test_newer_and_tuned_software_has_less_overhead():
    posterior = shipped()
    old, new = ({**level(), "year": year} for year in (2024.5, 2026.4))
    plain, tuned = ({**level(), "tuned": share} for share in (-1.0, 1.0))
    e = efficiencies(posterior.mean, index(posterior.form, [old, new, plain, tuned]), posterior.form)
    assert e.layer[1] < e.layer[0]
    assert e.layer[3] < e.layer[2]
