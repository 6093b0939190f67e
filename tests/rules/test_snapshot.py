"""Every chip of the facts under every version of the classification rules, with its binding margin.

The expected table is `snapshot.csv`; `CHIPWEIR_WRITE_SNAPSHOT=1` writes the file anew, for review in the diff.
"""

import csv
import os
from pathlib import Path

from chipweir.rules import classify
from chipweir.rules._chips import catalogue


SNAPSHOT = Path(__file__).parent / "snapshot.csv"
VERSIONS = ("2022-10-20", "2022-10-21", "2023-11-16", "2023-11-17", "2024-04-04", "2024-12-31", "2026-01-15")


def rows() -> list[list[str]]:
    found = [["chip", "day", "eccn", "tpp", "pd", "way", "margin"]]
    for chip in catalogue():
        for day in VERSIONS:
            c = classify(chip, day)
            m = c.margin
            margin = (
                f"{m.quantity} {float(m.value):.6g} {m.operator} {float(m.threshold):.6g} -> {m.becomes}" if m else ""
            )
            tpp = "" if c.tpp is None else f"{float(c.tpp):.6g}"
            density = "" if c.pd is None else f"{float(c.pd):.4f}"
            found.append([chip, day, c.eccn, tpp, density, c.way, margin])
    return found


def test_all_chips_under_all_versions() -> None:
    now = rows()
    if os.environ.get("CHIPWEIR_WRITE_SNAPSHOT"):
        with SNAPSHOT.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows(now)
    with SNAPSHOT.open(encoding="utf-8", newline="") as stream:
        held = list(csv.reader(stream))
    assert len(now) == 1 + len(catalogue()) * len(VERSIONS)
    assert len(catalogue()) >= 280
    assert now == held


# What the reference table states in its own words; the engine must come to the same by arithmetic.
REFERENCE = {
    "3A090.a": (
        "nvidia-a100-sxm nvidia-a800-sxm nvidia-h100-sxm nvidia-h100-pcie nvidia-h100-nvl nvidia-h800-sxm "
        "nvidia-h200-sxm nvidia-h200-nvl nvidia-b100 nvidia-b200 nvidia-gb200 nvidia-b300 nvidia-b30a "
        "nvidia-l40s nvidia-l4 nvidia-rtx-4090 nvidia-rtx-5090 nvidia-rtx-6000-ada nvidia-rtx-pro-6000 "
        "amd-mi250x amd-mi300x amd-mi325x amd-mi355x intel-gaudi-2 intel-gaudi-3 google-tpu-v5e "
        "google-tpu-v5p google-tpu-v6e google-tpu-v7 aws-trainium2 huawei-ascend-910b1 huawei-ascend-910b2 "
        "huawei-ascend-910b3 huawei-ascend-910b4 huawei-ascend-910c huawei-ascend-950pr huawei-ascend-950dt "
        "cambricon-mlu590 biren-br100 biren-br104 kunlunxin-p800"
    ),
    "3A090.b": ("nvidia-a30 nvidia-a40 nvidia-l40 amd-mi210"),
    "not_3A090": (
        "nvidia-v100-sxm2 nvidia-t4 nvidia-a10 nvidia-h20 nvidia-l20 nvidia-l2 nvidia-rtx-4090-d "
        "nvidia-rtx-5090-d nvidia-rtx-5090-d-v2"
    ),
    "undetermined": (
        "nvidia-rtx-pro-6000d amd-mi308x intel-gaudi-3-china cambricon-mlu370-x8 cambricon-mlu690 metax-c500 "
        "metax-c600 moore-threads-s4000 hygon-k100-ai t-head-zhenwu-810e"
    ),
}
RULE_2022 = (
    "nvidia-a100-sxm nvidia-h100-sxm nvidia-h100-pcie nvidia-h100-nvl nvidia-h200-sxm nvidia-h200-nvl "
    "nvidia-b100 nvidia-b200 nvidia-gb200 nvidia-b300 nvidia-b30a amd-mi250x amd-mi300x amd-mi325x "
    "amd-mi355x intel-gaudi-2 intel-gaudi-3 google-tpu-v5p google-tpu-v7 aws-trainium2 "
    "huawei-ascend-910c huawei-ascend-950dt"
)


def test_classes_of_the_reference_table() -> None:
    for eccn, names in REFERENCE.items():
        for chip in names.split():
            assert classify(chip, "2024-01-01").eccn == eccn, chip
    assert sum(len(names.split()) for names in REFERENCE.values()) == 64


def test_2022_column_of_the_reference_table() -> None:
    named = {chip for names in REFERENCE.values() for chip in names.split()}
    meets = {chip for chip in named if classify(chip, "2022-12-01").eccn == "3A090.a"}
    assert meets == set(RULE_2022.split())


def test_2022_rule_reaches_the_other_forms_of_the_same_parts() -> None:
    for chip in ("nvidia-a100-pcie-40gb", "nvidia-h100-sxm-96gb", "nvidia-gh200-96gb", "amd-mi250"):
        assert classify(chip, "2022-12-01").eccn == "3A090.a", chip
    for chip in ("nvidia-a800-pcie-80gb", "nvidia-h800-pcie", "nvidia-h20-141gb", "nvidia-l4", "nvidia-rtx-3090"):
        assert classify(chip, "2022-12-01").eccn == "not_3A090", chip
