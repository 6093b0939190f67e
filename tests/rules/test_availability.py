"""The arrays for the world model agree with single decisions, and hold what is known to have happened."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.rules import Shipment, availability, classify, decide
from chipweir.rules._status import DENIAL, status_of


MONTHS = np.arange("2022-01", "2027-01", dtype="datetime64[M]")


def cell(chip: str, to: str, month: str) -> tuple[int, int, float, float]:
    found = availability([chip], [to], [month])
    return (
        int(found.status[0, 0, 0]),
        int(found.stance[0, 0, 0]),
        float(found.fee[0, 0, 0]),
        float(found.share_cap[0, 0, 0]),
    )


@pytest.mark.parametrize(
    ("chip", "to", "month", "expected"),
    [
        ("nvidia-h20", "CN", "2025-03", (0, 0, 0.0, np.inf)),
        ("nvidia-h20", "CN", "2025-06", (4, 0, 0.0, np.inf)),
        ("nvidia-h20", "CN", "2025-09", (3, 1, 0.15, np.inf)),
        ("nvidia-h20", "CN", "2026-06", (3, 1, 0.15, np.inf)),
        ("nvidia-h200-sxm", "CN", "2025-12", (4, 0, 0.0, np.inf)),
        ("nvidia-h200-sxm", "CN", "2026-01", (3, 3, 0.25, 0.5)),
        ("nvidia-h200-sxm", "CN", "2026-02", (3, 2, 0.25, 0.5)),
        ("nvidia-b200", "CN", "2026-06", (4, 0, 0.0, np.inf)),
        ("nvidia-b200", "KR", "2026-06", (0, 0, 0.0, np.inf)),
        ("nvidia-rtx-4090", "CN", "2024-06", (1, 0, 0.0, np.inf)),
        ("nvidia-h100-sxm", "SA", "2024-06", (2, 0, 0.0, np.inf)),
        ("nvidia-h100-sxm", "AE", "2026-08", (3, 0, 0.0, np.inf)),
        ("amd-mi308x", "CN", "2025-03", (0, 0, 0.0, np.inf)),
        ("amd-mi308x", "CN", "2025-06", (4, 0, 0.0, np.inf)),
        ("huawei-ascend-910c", "CN", "2026-06", (0, 0, 0.0, np.inf)),
        ("nvidia-h100-sxm", "US", "2026-06", (0, 0, 0.0, np.inf)),
    ],
)
def test_known_cells(chip: str, to: str, month: str, expected: tuple[int, int, float, float]) -> None:
    assert cell(chip, to, month) == expected


def test_every_cell_equals_the_single_decision() -> None:
    chips = ["nvidia-h100-sxm", "nvidia-h20", "nvidia-l40", "nvidia-rtx-4090", "amd-mi325x", "nvidia-h200-nvl"]
    places = ["CN", "HK", "MO", "VN", "KH", "AE", "SA", "NI", "RU", "KR", "MY", "IL"]
    found = availability(chips, places, MONTHS)
    assert found.status.shape == (len(MONTHS), len(chips), len(places))
    for m, month in enumerate(MONTHS):
        day = date.fromisoformat(f"{month}-15")
        for p, chip in enumerate(chips):
            for d, to in enumerate(places):
                maker = chip.split("-")[0].upper()
                single = decide(Shipment(chip, to, day, hq=to, from_="US", exporter=maker), trace=False)
                assert found.status[m, p, d] == status_of(single), (chip, to, day)
                assert found.fee[m, p, d] == single.fee


def test_accepts_the_chips_of_the_facts_and_all_spellings_of_months() -> None:
    chips = list(facts.load().chips.values())
    found = availability(chips, ["CN", "KR"], ["2026-02"])
    assert found.products == tuple(chip.id for chip in chips)
    same = [
        availability(["nvidia-h20"], ["CN"], [m]).status.item()
        for m in ("2025-06", date(2025, 6, 30), np.datetime64("2025-06"))
    ]
    assert len(set(same)) == 1


def test_a_guess_is_no_classification_but_a_part_is_not_free_because_little_is_known_of_it(tmp_path: Path) -> None:
    (tmp_path / "chips.csv").write_text("id,name,maker,maker_country,release,status,marketed,source\n"
                                        "acme-x1,Acme X1,nvidia,US,2027-01,announced,data-centre,rumours\n")  # fmt: skip
    (tmp_path / "chip_values.csv").write_text("chip,quantity,central,unit,source,cls,confidence\n"
                                              "acme-x1,bf16_tflops,9000,TFLOP/s,rumours,own,D\n")  # fmt: skip
    (tmp_path / "sources.csv").write_text("id,title,cls\nrumours,rumours about Acme X1,own\n")
    known = facts.load([tmp_path])
    with facts.in_force(known):
        classed = classify("acme-x1", "2026-06-15")
        assert classed.eccn == "undetermined"
        assert any("144,000" in note for note in classed.assumptions)
        for product in (known.chips["acme-x1"], "Acme X1"):
            assert availability([product], ["CN"], ["2026-06"]).status[0, 0, 0] == DENIAL


def test_overlay_closes_a_destination_and_adds_a_quota() -> None:
    overlay = {
        "title": "what if",
        "requirements": [
            {
                "id": "W/MY-TH",
                "since": "2027-01-01",
                "condition": {"classes": ["3A090.a"], "to": ["MY", "TH"]},
                "review": "case_by_case",
            }
        ],
        "caps": [{"id": "W/quota", "since": "2027-01-01", "condition": {"to": ["MY"]}, "units_per_month": 5000}],
        "charges": [{"id": "W/fee", "since": "2027-01-01", "condition": {"to": ["TH"]}, "rate": 0.1}],
    }
    found = availability(["nvidia-h100-sxm"], ["MY", "TH", "SG"], ["2026-12", "2027-01"], [overlay])
    assert found.status[:, 0, :].tolist() == [[0, 0, 0], [3, 3, 0]]
    assert found.quota[1, 0].tolist() == [5000.0, np.inf, np.inf]
    assert found.fee[1, 0].tolist() == [0.0, 0.1, 0.0]


def test_bad_input_is_one_clear_line() -> None:
    with pytest.raises(UnknownName, match="nvidia-h20"):
        availability(["nvidia-h2O0"], ["CN"], ["2026-01"])
    with pytest.raises(UnknownName, match="country"):
        availability(["nvidia-h20"], ["XX"], ["2026-01"])
    with pytest.raises(InputError, match="month"):
        availability(["nvidia-h20"], ["CN"], ["soon"])
