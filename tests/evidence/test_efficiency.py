"""Performance per watt is not performance."""

import pytest

from chipweir import facts
from chipweir.evidence import check_document, document_from_text


def test_a_multiple_per_watt_is_held_against_ratios_per_watt() -> None:
    known = facts.load()
    text = "H100 대비 레니게이드의 와트당 성능이 2.25배 높다. 퓨리오사AI가 밝혔다."
    article = check_document(document_from_text(text, published="2026-02-09"), known).article
    claim, verdict = next((c, v) for c, v in article.judged() if c.frame == "spec_ratio")
    assert claim.value("attribute") == "efficiency"
    one, other = known.chip("furiosaai-rngd"), known.chip("nvidia-h100-sxm")
    assert one.fp8_tflops is not None
    assert other.fp8_tflops is not None
    assert one.tdp_w is not None
    assert other.tdp_w is not None
    wanted = (one.fp8_tflops.best / one.tdp_w.best) / (other.fp8_tflops.best / other.tdp_w.best)
    told = {number.name: number.value for number in verdict.numbers}
    assert told["fp8_tflops per W"] == pytest.approx(wanted)


def test_what_a_system_cannot_do_is_no_ratio() -> None:
    text = "Huawei's CloudMatrix 384 outperforms Nvidia's GB200 NVL72."
    article = check_document(document_from_text(text, published="2025-09-01")).article
    verdict = next(v for c, v in article.judged() if c.frame == "comparison")
    assert verdict.numbers
    assert all(number.value > 0 for number in verdict.numbers)
