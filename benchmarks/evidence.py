"""How fast an article is checked: processor seconds a megabyte, and whether time grows with length and no faster.

    python benchmarks/evidence.py                  # news and dense text in three languages, then hostile text
    python benchmarks/evidence.py --json --size 250000

Texts are made of the sentences of the project's gold sets (`tests/evidence/gold`), drawn at random with a fixed seed:
*dense* has nothing but sentences with figures, *news* has one such sentence in four. Each text is checked as the command
does it, from its characters to the JSON document; the time to start is not in it. The ratio is the time of four times the
text over four times the time of the text: 1 is linear. Hostile texts are whole texts of one piece.
"""

import argparse
import json
import random
import re
from functools import cache
from pathlib import Path
from time import process_time

import yaml

from chipweir import facts
from chipweir.evidence import check_document, document_from_text, result_json


GOLD = Path(__file__).parents[1] / "tests" / "evidence" / "gold"
PLAIN = {
    "ko": (
        "업계에서는 이번 조치가 공급망 재편을 앞당길 것이라는 관측이 나온다.",
        "회사 측은 구체적인 고객사와 납품 시점을 밝히지 않았다.",
        "전문가들은 소프트웨어 생태계를 갖추는 데 시간이 더 걸릴 것으로 본다.",
        "미국 상무부는 국가 안보를 위한 조치라는 입장을 되풀이했다.",
        "중국 정부는 경제와 기술의 정치화에 반대한다고 반박했다.",
        "메모리 가격이 오르면서 세트 업체들의 부담도 커지고 있다.",
    ),
    "en": (
        "Analysts said the change reflects how quickly supply chains are being redrawn.",
        "The company did not name its customers or say when deliveries would begin.",
        "Engineers complain that the software stack remains the hardest part of any migration.",
        "The Commerce Department has defended the controls as a matter of national security.",
        "Beijing has repeatedly objected to what it calls the politicisation of trade.",
        "Rising memory prices are squeezing device makers that signed contracts late.",
    ),
    "zh": (
        "业内人士认为，这一变化反映出供应链正在重新洗牌。",
        "公司没有披露客户名称，也没有说明交付时间表。",
        "工程师表示，软件生态的适配仍是最大的难题。",
        "美国商务部表示，相关措施旨在保护国家安全。",
        "中方一贯反对将经贸科技问题政治化、工具化。",
        "存储芯片价格走高，下游厂商的成本压力上升。",
    ),
}
HOSTILE = {
    "digits": "7",
    "figures in one line": "10억 달러 3% 7나노 ",
    "one line without a stop": "엔비디아 H20 칩 3만 개 ",
    "one sentence again and again": "엔비디아는 중국에 H20 칩 3만 개를 10억 달러에 팔았다고 27일 밝혔다. ",
    "nested markup": "<div><p class='a'>3%",
    "open brackets": "(“‘[",
    "syllables": "가나다라마바사아자차",
    "zero width": "1\u200b0\u200d%\u2060 ",
    "marks of quotation": "\"'",
    "names": "화웨이 엔비디아 H20 SMIC ",
    "bare codes": "AB1234 ",
    "control characters": "1\x00\x0b\x1f%\x7f ",
}


@cache
def sentences(language: str) -> tuple[str, ...]:
    """The gold sentences of one language."""
    tests = {"ko": r"[가-힣]", "zh": r"[一-鿿]"}
    found = []
    for name in ("ko", "en", "zh", "second"):
        for item in yaml.safe_load((GOLD / f"{name}.yaml").read_text(encoding="utf-8"))["items"]:
            spoken = next((key for key, pattern in tests.items() if re.search(pattern, item["t"])), "en")
            if spoken == language:
                found.append(item["t"])
    return tuple(found)


def text_of(language: str, size: int, share: float, seed: int = 1) -> str:
    """News of about `size` bytes, `share` of whose sentences carry figures."""
    draw = random.Random(seed)
    gap = "" if language == "zh" else " "
    paragraphs, length = [], 0
    while length < size:
        chosen = (
            draw.choice(sentences(language) if draw.random() < share else PLAIN[language])
            for _ in range(draw.randint(3, 5))
        )
        paragraphs.append(gap.join(chosen))
        length += len(paragraphs[-1].encode()) + 2
    return "\n\n".join(paragraphs)


def seconds(text: str) -> float:
    """Processor seconds from a text to its JSON document."""
    known = facts.load()
    start = process_time()
    json.dumps(result_json(check_document(document_from_text(text, published="2025-09-10"), known)), ensure_ascii=False)
    return process_time() - start


def measure(size: int) -> dict[str, dict[str, float]]:
    """Seconds a megabyte (UTF-8) and linearity by kind of text."""
    seconds(text_of("ko", 20_000, 0.5) + text_of("en", 20_000, 0.5) + text_of("zh", 20_000, 0.5))
    texts = {
        f"{language}, {kind}": (text_of(language, size // 4, share), text_of(language, size, share))
        for language in ("ko", "en", "zh")
        for kind, share in (("news", 0.25), ("dense", 1.0))
    }
    for name, piece in HOSTILE.items():
        times = size // 4 // len(piece.encode()) + 1
        texts[name] = ("a " + piece * times, "a " + piece * (4 * times))
    result = {}
    for name, (short, long) in texts.items():
        quarter, whole = seconds(short), seconds(long)
        result[name] = {"s_per_MB": whole / (len(long.encode()) / 1e6), "ratio": whole / (4 * max(quarter, 1e-3))}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="bytes of the longer text of each kind")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = measure(arguments.size)
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    print(f"{'text':32} {'s/MB':>7} {'x4/4x':>6}")
    for name, row in rows.items():
        print(f"{name:32} {row['s_per_MB']:7.2f} {row['ratio']:6.2f}")


if __name__ == "__main__":
    main()
