import numpy as np
import pytest

from chipweir.errors import InputError
from chipweir.perf._measured import measured, stated


def test_rows_count_by_how_sure_they_are_and_not_by_who_published_them(measured_rows):
    named = [{**row, "family": "NVIDIA-silicon-sample"} for row in measured_rows]
    unfinished = [{**row, "notes": "authors warn: work in progress"} for row in measured_rows]
    assert np.all(measured(measured_rows).weight == 1.0)
    assert np.all(measured(named).weight == 1.0)
    assert np.all(measured(unfinished).weight == 0.1)


def test_what_sources_tell_elsewhere_is_fitted_and_not_asked(measured_rows):
    data = measured([{**row, "family": "InferenceX-tokenpos"} for row in measured_rows])
    assert {c.offered.waves for c in data.configurations} == {1.0}
    assert 1.0 not in {c.offered.waves for c in data.asked}


def test_a_sweep_of_many_rows_is_thinned_and_its_rows_count_for_more(measured_rows):
    from chipweir.perf._fit import shared, thinned

    data = measured(measured_rows * 4)
    few = thinned(data, most=3)
    counts = np.bincount(shared(few).sweep)
    assert counts.max() <= 3
    assert (few.weight >= 1.0).all()
    assert few.weight.sum() <= data.weight.sum() + 1e-9


def test_saturated_queues_are_not_used(measured_rows):
    data = measured([{**measured_rows[0], "ttft_ms": "150000"}])
    assert np.isnan(data.ttft[0])


def test_models_with_the_same_layers_are_left_out_together(measured_rows):
    rows = [
        {**measured_rows[0], "model": name, "precision": "fp8", "tp": "8", "n_chips": "8"}
        for name in ("DeepSeek-V3", "DeepSeek-R1")
    ]
    assert len(set(measured(rows).label("model"))) == 1


def test_what_does_not_fit_is_not_fitted(measured_rows):
    impossible = {**measured_rows[0], "model": "DeepSeek-V3", "tp": "1", "n_chips": "1"}
    data, _, _ = stated(measured([*measured_rows, impossible]))
    assert len(data.rows) == len(measured_rows)


def test_folds_cover_every_row_once():
    from chipweir.perf._fit import folds

    labels = np.array(["a"] * 5 + ["b"] * 3 + ["c"])
    parts = folds(labels, 2)
    assert np.all(sum(p.astype(int) for p in parts) == 1)


def test_too_few_rows_are_refused(measured_rows):
    from chipweir.perf._fit import fit

    with pytest.raises(InputError, match="at least"):
        fit(measured_rows[:3], quick=True)


@pytest.mark.slow
def test_a_fit_recovers_data_made_by_the_model(measured_rows):
    from chipweir.perf._batch import predict_rows
    from chipweir.perf._fit import fit

    posterior = fit(measured_rows, quick=True)
    answers = predict_rows(measured_rows, posterior)
    errors = [
        abs(a["predictions"]["tpot_ms"]["p50"] / float(r["tpot_ms"]) - 1)
        for a, r in zip(answers, measured_rows, strict=True)
    ]
    assert np.median(errors) < 0.2
    assert posterior.draws.shape == (48, posterior.form.size)
