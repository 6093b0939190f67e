"""The grammar of figures: gold sentences, single rules, and values rendered in each language and read back."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.evidence import Quantity, document_from_text, extract


GOLD = Path(__file__).parent / "gold"


def figures(text: str, published: str = "2025-09-10") -> list[Quantity]:
    """The figures of a sentence."""
    return list(extract(document_from_text(text, published=published)).quantities)


def one(text: str) -> Quantity:
    """The only figure of a sentence."""
    found = figures(text)
    assert len(found) == 1, [(item.surface, item.value, item.unit) for item in found]
    return found[0]


def gold(language: str) -> list[tuple[str, str, tuple[str, ...], bool]]:
    """(text, published, annotations, held out) of one gold file."""
    loaded = yaml.safe_load((GOLD / f"{language}.yaml").read_text(encoding="utf-8"))
    return [
        (item["t"], str(loaded["published"]), tuple(item["q"]), place % 3 == 2)
        for place, item in enumerate(loaded["items"])
    ]


def score(rows: list[tuple[str, str, tuple[str, ...], bool]]) -> dict[str, float]:
    """Recall, precision, share of right values, of right bounds and of right bases."""
    wanted = extracted = found = right = bounds = bases = 0
    for text, published, annotations, _ in rows:
        free = figures(text, published)
        extracted += len(free)
        at = 0
        for annotation in annotations:
            surface, rest = annotation.split(" => ")
            value, unit, bound, basis = [*rest.split(), *("eq", "")[len(rest.split()) - 2 :]]
            start = text.index(surface, at)
            at = start + len(surface)
            wanted += 1
            met = [item for item in free if item.start < at and start < item.end]
            if not met:
                continue
            item = met[0]
            free.remove(item)
            found += 1
            same = (
                str(item.value) == value
                if unit == "date"
                else isinstance(item.value, int | float) and item.value == pytest.approx(float(value), rel=1e-6)
            )
            right += same and item.unit == unit
            bounds += item.bound == bound
            bases += item.basis == basis
    return {
        "gold": wanted,
        "recall": found / wanted,
        "precision": found / extracted,
        "value": right / wanted,
        "bound": bounds / wanted,
        "basis": bases / wanted,
    }


@pytest.mark.parametrize("language", ["ko", "en", "zh"])
@pytest.mark.parametrize("held_out", [False, True])
def test_gold_sentences(language: str, held_out: bool) -> None:
    rates = score([row for row in gold(language) if row[3] is held_out])
    assert rates["recall"] >= 0.97, rates
    assert rates["precision"] >= 0.97, rates
    assert rates["value"] >= (0.93 if held_out else 0.99), rates
    assert rates["bound"] >= 0.95, rates
    assert rates["basis"] >= 0.95, rates


def test_a_second_sample() -> None:
    rates = score(gold("second"))
    assert rates["recall"] >= 0.96, rates
    assert rates["precision"] >= 0.97, rates
    assert rates["value"] >= 0.94, rates


def test_the_gold_set_holds_three_hundred_figures() -> None:
    assert sum(len(row[2]) for language in ("ko", "en", "zh") for row in gold(language)) >= 300


CASES: list[tuple[str, Any, str, str]] = [
    ("10억 달러를 웃돈다", 1_000_000_000, "USD", "ge"),
    ("10억 달러(약 한화로 큰돈)를 웃돈다", 1_000_000_000, "USD", "ge"),
    ("7㎚ 공정", 7e-9, "m", "eq"),
    ("7나노 이하 공정", 7e-9, "m", "le"),
    ("최대 수십 배 낮다", 50, "ratio", "le"),
    ("수율은 70% 수준", 0.7, "fraction", "approx"),
    ("주가가 3% 넘게 급락했다", -0.03, "fraction", "le"),
    ("주가가 140% 넘게 폭등했다", 1.4, "fraction", "ge"),
    ("２５％ 늘었다", 0.25, "fraction", "eq"),
    ("2년여간 이어졌다", 2, "year", "ge"),
    ("공장 3곳", 3, "count", "eq"),
    ("백만 달러를 냈다", 1_000_000, "USD", "eq"),
    ("triple the output of rivals", 3, "ratio", "eq"),
    ("up to 45 times cheaper", 45, "ratio", "le"),
    ("at least $1.5bn", 1_500_000_000, "USD", "ge"),
    ("a 128K context window", 131_072, "token", "eq"),
    ("a 200K context window", 200_000, "token", "eq"),
    ("half of all sales", 0.5, "fraction", "eq"),
    ("良率超过七成", 0.7, "fraction", "ge"),
    ("超过10亿美元", 1_000_000_000, "USD", "ge"),
    ("约三分之一", 1 / 3, "fraction", "approx"),
    ("十几个城市", 15, "count", "range"),
    ("9450亿千瓦时", 9.45e14, "Wh", "eq"),
    ("매출 30%↑", 0.3, "fraction", "eq"),
    ("영업이익률 3.2%p↓", -0.032, "fraction", "eq"),
    ("shares closed -1.5%", -0.015, "fraction", "eq"),
    ("훈련에 10^26 FLOPs를 썼다", 1e26, "FLOP", "eq"),
    ("about 3.5e25 FLOP", 3.5e25, "FLOP", "approx"),
    ("规模为7.5亿至8亿美元", 775_000_000, "USD", "range"),
    ("7조5천억~8조원 규모", 7_750_000_000_000, "KRW", "range"),
    ("百余家企业", 100, "count", "ge"),
    ("占比三成五", 0.35, "fraction", "eq"),
    ("RMB 300m was paid", 300_000_000, "CNY", "eq"),
    ("≤7nm nodes", 7e-9, "m", "le"),
    ("H100 한 장이 4만 달러다", 40_000, "USD", "eq"),
    ("新台幣3兆2千億元", 3_200_000_000_000, "TWD", "eq"),
    ("이틀 만에 끝났다", 2, "day", "eq"),
]


@pytest.mark.parametrize(("text", "value", "unit", "bound"), CASES)
def test_single_figures(text: str, value: float, unit: str, bound: str) -> None:
    item = one(text)
    assert item.value == pytest.approx(value)
    assert (item.unit, item.bound) == (unit, bound)


@pytest.mark.parametrize(
    "text",
    [
        "두 걸음 전진하고 한 걸음 후퇴했다",
        "제3의 길을 찾는다",
        "제3국을 거쳤다",
        "H20, B200, RTX 5090과 GPT-5를 비교했다",
        "제미나이 2.5 프로와 클로드 오푸스 4.1",
        "한 시장 관계자는 말했다",
        "진영을 모두 나누었다",
        "https://example.org/2025/08/30/article-12345?p=99 참조",
        "two steps forward, one step back",
        "third-party vendors and a one-stop shop",
        "三星和百度统一了一些标准",
        "삼성전자(005930)는 올랐다",
    ],
)
def test_names_and_idioms_are_no_figures(text: str) -> None:
    assert figures(text) == []


def test_a_gloss_and_its_denominator() -> None:
    lengths = [(item.surface, item.value) for item in figures("7㎚(나노미터·10억분의 1m) 공정")]
    assert lengths == [("7㎚", 7e-09), ("10억분의 1m", 1e-09)]


def test_prices_in_a_list_share_the_basis_of_the_first() -> None:
    found = figures("A(출력 토큰 100만 개당 10달러) B(10달러) C(75달러)보다 싸다.")
    assert [(item.value, item.unit, item.basis) for item in found] == [
        (1_000_000, "token", ""),
        (10, "USD", "per_1e6_token"),
        (10, "USD", "per_1e6_token"),
        (75, "USD", "per_1e6_token"),
    ]


def test_a_basis_does_not_cross_into_the_next_sentence() -> None:
    found = figures("It costs $10 per million tokens. The firm raised $75 from friends.")
    assert [item.basis for item in found] == ["per_1e6_token", ""]


@pytest.mark.parametrize("text", ["생산이 3배 증가했다", "output grew 3 times more", "产能提高了3倍"])
def test_multiples_that_may_be_increments_are_flagged(text: str) -> None:
    item = one(text)
    assert item.value == 3
    assert "increment-or-factor" in item.flags


def test_a_factor_that_is_reached_is_not_flagged() -> None:
    assert one("생산을 세 배로 만든다").flags == ()


def test_doubling_in_chinese_is_two() -> None:
    assert one("产能增加一倍").value == 2


def test_a_level_is_not_a_fall() -> None:
    values = [item.value for item in figures("점유율이 95%에서 50%로 하락했다")]
    assert values == [0.95, 0.5]


def test_dates_stand_among_the_figures() -> None:
    item = one("오는 9월 시행한다")
    assert (item.type, item.value, item.low, item.high) == ("date", "2025-09", "2025-09-01", "2025-09-30")


def test_spans_are_exact_offsets_into_the_text() -> None:
    text = "\ufeff가격은\u3000１００만 개당 1.68달러\u00a0(약 2,300원)이다."
    for item in figures(text):
        assert text[item.start : item.end] == item.surface


AMOUNTS = st.integers(min_value=1, max_value=9_999)


@given(
    AMOUNTS,
    AMOUNTS.filter(lambda n: n > 0),
    st.sampled_from([("달러", "USD"), ("원", "KRW"), ("위안", "CNY"), ("유로", "EUR")]),
)
@settings(max_examples=60, deadline=None)
def test_korean_amounts_read_back(high: int, low: int, currency: tuple[str, str]) -> None:
    item = one(f"회사는 {high}억{low:,}만{currency[0]}를 썼다.")
    assert item.value == high * 10**8 + low * 10**4
    assert item.unit == currency[1]


@given(
    st.decimals(min_value=1, max_value=999, places=2),
    st.sampled_from([("billion", 9), ("bn", 9), ("million", 6), ("trillion", 12)]),
)
@settings(max_examples=60, deadline=None)
def test_english_amounts_read_back(number: Any, scale: tuple[str, int]) -> None:
    gap = "" if scale[0] == "bn" else " "
    item = one(f"The firm spent ${number}{gap}{scale[0]} on it.")
    assert item.value == pytest.approx(float(number) * 10 ** scale[1])
    assert item.unit == "USD"


@given(
    st.integers(min_value=1, max_value=9_999),
    st.sampled_from(["万", "亿", "万亿", "萬", "億"]),
    st.sampled_from([("美元", "USD"), ("元", "CNY"), ("欧元", "EUR")]),
)
@settings(max_examples=60, deadline=None)
def test_chinese_amounts_read_back(number: int, scale: str, currency: tuple[str, str]) -> None:
    factor = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "万亿": 10**12}[scale]
    item = one(f"公司花费了{number}{scale}{currency[0]}。")
    assert item.value == number * factor
    assert item.unit == currency[1]


@given(st.integers(min_value=1, max_value=99), st.integers(min_value=1, max_value=99))
@settings(max_examples=40, deadline=None)
def test_ranges_read_back(first: int, second: int) -> None:
    low, high = sorted((first, second))
    if low == high:
        return
    for text in (f"비중은 {low}~{high}%다.", f"a share of {low}-{high}% of sales", f"占比为{low}%至{high}%。"):
        item = one(text)
        assert (item.low, item.high, item.bound) == (pytest.approx(low / 100), pytest.approx(high / 100), "range")


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_without_harm(text: str) -> None:
    wrapped = f"가 {text}"
    for item in figures(wrapped):
        assert wrapped[item.start : item.end] == item.surface
        assert item.end > item.start


@pytest.mark.parametrize("before", ["İ" * 30 + " at least ", "İabout ", "ẞ" * 22 + "약 ", "AT LEAST ", "최대 İ"])
def test_capitals_that_grow_in_small_letters_move_nothing(before: str) -> None:
    text = f"x {before}10억 달러"
    for item in figures(text):
        assert 0 <= item.start < item.end <= len(text)
        assert text[item.start : item.end] == item.surface


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A B200 draws 1,000 watts, against 700 for the H100.", [("W", 1000), ("W", 700)]),
        ("The MI350X packs 288GB, more than the MI300X's 192.", [("B", 288e9), ("B", 192e9)]),
        ("Revenue rose to $22.1 billion, up from 18.4 in the quarter before.", [("USD", 22.1e9), ("USD", 18.4e9)]),
        ("H20은 296테라플롭스로 H100(1979)에 못 미친다.", [("FLOP/s", 296e12), ("FLOP/s", 1979e12)]),
        ("The House passed the act 369 to 22.", [("count", 369), ("count", 22)]),
        ("The plan costs 15 percent and 350 bn more.", [("fraction", 0.15), ("count", 350)]),
    ],
)
def test_a_bare_number_takes_the_unit_before_it(text, expected):
    found = [(one.unit, one.value) for one in figures(text) if one.type != "date"]
    assert [(unit, pytest.approx(value)) for unit, value in expected] == found
