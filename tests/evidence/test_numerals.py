"""Numerals of every script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.text._numerals import number_at
from chipweir.text._units import pack, plain, unit_at


@pytest.mark.parametrize(
    ("text", "read", "value"),
    [
        ("1조3,880억원", "1조3,880억", 1_388_000_000_000),
        ("1조 3,880억원", "1조 3,880억", 1_388_000_000_000),
        ("2억4700만달러", "2억4700만", 247_000_000),
        ("4만5000장", "4만5000", 45_000),
        ("1천200억", "1천200억", 120_000_000_000),
        ("이십오", "이십오", 25),
        ("백만 토큰", "백만", 1_000_000),
        ("열두 곳", "열두", 12),
        ("3.5万亿元", "3.5万亿", 3.5e12),
        ("一百二十三", "一百二十三", 123),
        ("两万三千", "两万三千", 23_000),
        ("十几个", "十几", 15),
        ("twenty-five fabs", "twenty-five", 25),
        ("half a million", "half a million", 500_000),
        ("7.5 billion", "7.5 billion", 7.5e9),
        ("１２３", "123", 123),
    ],
)
def test_numerals(text: str, read: str, value: float) -> None:
    clean = plain(text)
    number = number_at(clean, 0)
    assert number is not None
    assert (clean[: number.end], number.value) == (read, value)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("수십조", 2e13, 9.9e13), ("几十亿", 2e9, 9.9e9), ("tens of billions", 2e10, 9.9e10), ("두세", 2, 3)],
)
def test_vague_numerals_have_limits(text: str, low: float, high: float) -> None:
    number = number_at(text, 0)
    assert number is not None
    assert (number.low, number.high) == (low, high)


@pytest.mark.parametrize("text", ["가나다", "abc", "", " 1"])
def test_no_numeral(text: str) -> None:
    assert text == "" or number_at(text, 0) is None


def korean(number: int) -> str:
    """A whole number in Korean words."""
    digits = ["", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"]
    out = ""
    for size, name in ((10**12, "조"), (10**8, "억"), (10**4, "만"), (1, "")):
        group, number = divmod(number, size)
        if group:
            for unit, word in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
                count, group = divmod(group, unit)
                out += (digits[count] + word) if count else ""
            out += name
    return out


def chinese(number: int) -> str:
    """A whole number in Chinese words, without zeros (`一千五` is avoided by the caller)."""
    digits = "零一二三四五六七八九"
    out = ""
    for size, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        group, number = divmod(number, size)
        if group:
            for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
                count, group = divmod(group, unit)
                out += (digits[count] + word) if count else ""
            out += name
    return out


@settings(deadline=None)
@given(st.integers(min_value=11, max_value=10**14))
def test_korean_words_read_back(number: int) -> None:
    words = korean(number)
    read = number_at(words, 0)
    assert read is not None
    assert (read.end, read.value) == (len(words), number)


@settings(deadline=None)
@given(st.integers(min_value=11, max_value=10**11))
def test_chinese_words_read_back(number: int) -> None:
    words = chinese(number)
    read = number_at(words, 0)
    assert read is not None
    assert (read.end, read.value) == (len(words), number)


def test_units_are_found_longest_first() -> None:
    found = unit_at("5개월", 1)
    assert found is not None
    assert (found[0].unit, found[1]) == ("month", 3)


@pytest.mark.parametrize("text", ["10 엔비디아", "3 원칙", "5 배터리", "2 대통령"])
def test_a_unit_is_not_the_start_of_a_word(text: str) -> None:
    assert unit_at(text, text.index(" ")) is None


@pytest.mark.parametrize("language", ["ko", "en", "zh"])
def test_packs_name_units_of_the_interface(language: str) -> None:
    units = {row["unit"] for row in pack(language)["units"]}
    assert {
        "USD",
        "CNY",
        "KRW",
        "JPY",
        "EUR",
        "fraction",
        "ratio",
        "m",
        "year",
        "month",
        "day",
        "token",
        "parameter",
        "W",
        "layer",
    } <= units
