"""is-informed letters: whom they bind, that they state no policy, and by how much a number misses or meets their lines.

Stated here a second time: NVIDIA from 9 April 2025, AMD and Intel from 14 April; DRAM bandwidth of 1,400 GB/s,
interconnect of 1,100 GB/s or a sum of 1,700 GB/s; to China, Macau, D:5 and firms with a seat or parent there. In 2022 the
A100 class (4800, 600).
"""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from chipweir.rules import Shipment, decide


DRAM, IO, SUM = 1400, 1100, 1700
SINCE = {"NVIDIA": date(2025, 4, 9), "AMD": date(2025, 4, 14), "Intel": date(2025, 4, 14)}
SPELT = {"NVIDIA": ["NVIDIA", "Nvidia Corp.", "NVIDIA Corporation"], "AMD": ["AMD", "Advanced Micro Devices, Inc."],
         "Intel": ["Intel", "Intel Corporation"]}  # fmt: skip
TARGETS = [{"to": "CN", "hq": "CN"}, {"to": "HK", "hq": "HK"}, {"to": "MO", "hq": "MO"}, {"to": "LB", "hq": "LB"},
           {"to": "SG", "hq": "CN"}, {"to": "TH", "hq": "TH", "ultimate_parent": "CN"},
           {"to": "VN", "end_user": "ByteDance"}, {"to": "CN"}, {"to": "IQ", "hq": "IQ"},
           {"to": "MY", "hq": "US", "ultimate_parent": "MO"}]  # fmt: skip
ELSEWHERE = [
    {"to": "KR", "hq": "KR"},
    {"to": "SG", "hq": "SG"},
    {"to": "AE", "hq": "AE"},
    {"to": "US"},
    {"to": "VN", "hq": "US"},
]
FIRST_LICENCES = date(2025, 8, 8)


def chips(seed: int, count: int) -> list[dict[str, Any]]:
    """Numbers of chips outside 3A090, often on or beside a line."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        memory = rng.choice([300, 672, 900, 1398, 1399, 1399.99, 1400, 1401, 4000, 8000, rng.randrange(200, 2000)])
        io = rng.choice([0, 64, 300, 301, 600, 1028, 1099, 1100, 1101, 1800, rng.randrange(0, 1500)])
        found.append({"tpp": rng.choice([600, 1500, 1599, 2368]), "die_mm2": 814, "dc": rng.random() < 0.8,
                      "mem_bw_gbps": memory, "io_gbps": io, "maker_country": "US"})  # fmt: skip
    return found


def reached(chip: dict[str, Any]) -> bool:
    return chip["mem_bw_gbps"] >= DRAM or chip["io_gbps"] >= IO or chip["mem_bw_gbps"] + chip["io_gbps"] >= SUM


def ask(item: Any, day: date, **fields: Any) -> Any:
    return decide(Shipment.of({"item": item, "export_date": day, "from": "US", **fields}))


@pytest.mark.parametrize("firm", SINCE)
def test_a_letter_binds_its_addressee_and_states_no_policy(firm: str) -> None:
    rng = random.Random(firm)
    for number, chip in enumerate(chips(7, 60)):
        target, name = TARGETS[number % len(TARGETS)], rng.choice(SPELT[firm])
        day = SINCE[firm] + timedelta(days=rng.choice([0, 1, 60, 120, 121, 200, 281, 500]))
        found = ask(chip, day, exporter=name, **target)
        where = (chip, target, name, str(day), found.headline)
        if not reached(chip):
            assert found.licence == "no", where
            continue
        assert (found.licence, found.review, found.exception) == ("yes", "unspecified", "none"), where
        assert found.practice == ("case_by_case" if day >= FIRST_LICENCES else "presumption_of_denial"), where
        assert "no policy stated (in practice" in found.headline, where
        assert ask(chip, date(2025, 4, 8), exporter=name, **target).licence == "no", where
        between = ask(
            chip, date(2025, 4, 10), exporter=name, **target
        )  # known to have gone to NVIDIA, not yet to others
        assert between.licence == ("yes" if firm == "NVIDIA" else "unknown"), where


@pytest.mark.parametrize("target", ELSEWHERE)
def test_letters_reach_no_other_place(target: dict[str, str]) -> None:
    for chip in chips(11, 25):
        for firm, since in SINCE.items():
            assert ask(chip, since + timedelta(days=90), exporter=firm, **target).licence == "no"


def test_another_exporter_is_asked_for_its_letter() -> None:
    for number, chip in enumerate(chips(13, 60)):
        target = TARGETS[number % len(TARGETS)]
        found = ask(
            chip,
            date(2025, 6, 1) + timedelta(days=number * 5),
            exporter=["Dell", "Supermicro", "Broadcom"][number % 3],
            **target,
        )
        if reached(chip):
            assert (found.licence, found.questions[0].code) == ("unknown", "letter"), (chip, target)
        else:
            assert found.licence == "no", (chip, target)


def test_a_number_not_stated_may_be_above_the_line() -> None:
    """Bandwidth and interconnect not stated do not read as low."""
    base = {"tpp": 1500, "die_mm2": 814, "dc": True, "maker_country": "US"}
    for number in range(24):
        firm, target = ["NVIDIA", "AMD", "Intel"][number % 3], TARGETS[number % len(TARGETS)]
        day = SINCE[firm] + timedelta(days=number * 10)
        for stated in ({}, {"mem_bw_gbps": 900}, {"io_gbps": 100}):
            found = ask({**base, **stated}, day, exporter=firm, **target)
            assert found.licence == "unknown", (stated, target, found.licence)
            assert {q.code for q in found.questions} & {"mem_bw_gbps", "io_gbps"}, found.questions
        assert ask({**base, "mem_bw_gbps": 1400}, day, exporter=firm, **target).licence == "yes"
        assert ask({**base, "io_gbps": 1100}, day, exporter=firm, **target).licence == "yes"


H200_CLASS = ["H200", "MI325X", "H100", "Gaudi 3"]


@pytest.mark.parametrize("exporter", ["NVIDIA", "AMD", "Intel", "Dell", "Supermicro", None])
def test_beside_a_regulation_a_letter_without_policy_leaves_the_review_of_the_regulation(exporter: str | None) -> None:
    """A 3A090.a chip reaches the lines of the letters too; what the rule of January 2026 says of its review stands."""
    for chip in H200_CLASS:
        for day, review in ((date(2026, 1, 14), "presumption_of_denial"), (date(2026, 3, 2), "case_by_case")):
            for to in ("CN", "HK", "MO"):
                fields = {"exporter": exporter} if exporter else {}
                item = {"chip": chip, "us_available_2026_01_15": True}
                found = ask(item, day, to=to, hq=to, **fields)
                if chip == "Gaudi 3" and day > date(2026, 1, 15):
                    review = "presumption_of_denial"  # TPP of 26,848 lies above the zone
                assert (found.licence, found.review) == ("yes", review), (chip, exporter, to, found.review)


@pytest.mark.parametrize("firm", ["NVIDIA", "AMD"])
def test_the_letters_of_2022(firm: str) -> None:
    """A100 class to China and Russia, from 26 August to 20 October 2022; the rule of October 2022 then takes their place."""
    for number in range(24):
        day = date(2022, 8, 26) + timedelta(days=number * 2)
        tpp, io = [(4992, 664), (15832, 1028), (4800, 600), (4799, 600), (4800, 599), (4992, 464)][number % 6]
        to = ["CN", "HK", "CN"][number % 3]
        item = {"tpp": tpp, "io_gbps": io, "die_mm2": 826, "dc": True, "mem_bw_gbps": 2039, "maker_country": "US"}
        found = ask(item, day, exporter=firm, to=to, hq=to)
        if tpp >= 4800 and io >= 600:
            policy = "unspecified" if day <= date(2022, 10, 20) else "presumption_of_denial"
            assert (found.licence, found.review, found.exception) == ("yes", policy, "none"), (item, day)
        else:
            assert found.licence == "no", (item, day)
    assert ask("A100", date(2022, 8, 25), exporter=firm, to="CN", hq="CN").licence == "no"


def lines_of(chip: dict[str, Any]) -> dict[str, float]:
    """For each number that alone can free the chip, the line below which it does."""
    memory, io = chip["mem_bw_gbps"], chip["io_gbps"]
    found: dict[str, float] = {}
    if io < IO and SUM - io > 0:
        found["mem_bw_gbps"] = min(DRAM, SUM - io)
    if memory < DRAM and SUM - memory > 0:
        found["io_gbps"] = min(IO, SUM - memory)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_the_margin_is_that_of_the_rule_that_binds(seed: int) -> None:
    """What would free the chip is named with its line; crossing it frees, standing on it does not."""
    for number, chip in enumerate(chip for chip in chips(100 + seed, 40) if reached(chip)):
        target, firm = TARGETS[number % len(TARGETS)], ["NVIDIA", "AMD", "Intel"][number % 3]
        day = SINCE[firm] + timedelta(days=20 + number)
        found = ask(chip, day, exporter=firm, **target)
        told = {
            m.quantity: float(m.threshold)
            for m in found.margins
            if "does not apply" in m.becomes and "2025-04L" in m.becomes
        }
        assert told == lines_of(chip), (chip, told, lines_of(chip))
        for quantity, line in told.items():
            assert ask({**chip, quantity: line}, day, exporter=firm, **target).licence == "yes"
            assert ask({**chip, quantity: line - 0.01}, day, exporter=firm, **target).licence == "no"


@pytest.mark.parametrize("seed", range(4))
def test_a_free_chip_is_told_how_near_the_letters_are(seed: int) -> None:
    for number, chip in enumerate(chip for chip in chips(200 + seed, 60) if not reached(chip)):
        target, firm = TARGETS[number % len(TARGETS)], ["NVIDIA", "AMD", "Intel"][number % 3]
        day = SINCE[firm] + timedelta(days=30 + number)
        found = ask(chip, day, exporter=firm, **target)
        told = {m.quantity: float(m.threshold) for m in found.margins if "2025-04L" in m.becomes}
        memory, io = chip["mem_bw_gbps"], chip["io_gbps"]
        assert told == {"mem_bw_gbps": min(DRAM, SUM - io), "io_gbps": min(IO, SUM - memory)}, (chip, told)
        for quantity, line in told.items():
            assert ask({**chip, quantity: line}, day, exporter=firm, **target).licence == "yes"


def test_the_h20_is_freed_by_bandwidth_below_672() -> None:
    found = ask("H20", date(2025, 6, 20), to="CN", hq="CN", exporter="NVIDIA")
    first = next(m for m in found.margins if m.quantity == "mem_bw_gbps" and "2025-04L" in m.becomes)
    assert float(first.threshold) == 1700 - 1028
