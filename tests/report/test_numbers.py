import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.i18n import use_language
from chipweir.report import _numbers


@pytest.mark.parametrize(
    ("value", "english", "korean"),
    [
        (0, "0", "0"),
        (0.0349, "0.0349", "0.0349"),
        (-5_000_000, "−5M", "−500만"),
        (9_230, "9.23K", "9,230"),
        (12_345, "12.3K", "1.23만"),
        (19_800_000, "19.8M", "1,980만"),
        (123_456_789, "123M", "1.23억"),
        (2.5e12, "2.5T", "2.5조"),
        (999_999, "1M", "100만"),
        (2.89e17, "2.89×10¹⁷", "2.89×10¹⁷"),
    ],
)
def test_numbers_are_grouped_as_each_language_does(value, english, korean):
    with use_language("en"):
        assert _numbers.number(value) == english
    with use_language("ko"):
        assert _numbers.number(value) == korean


def test_money_shares_and_powers():
    with use_language("en"):
        assert _numbers.money(4.05e9) == "$4.05B"
        assert _numbers.money(-0.016) == "−$0.016"
        assert _numbers.share(0.481) == "48%"
        assert _numbers.share(0.0123) == "1.2%"
        assert _numbers.power_of_ten(9.96e25) == "1.0×10²⁶"
        assert _numbers.signed(0.123, "share") == "+12 pp"
        assert _numbers.interval(2.1e6, 3.8e6, "count") == "2.1M – 3.8M"
    with use_language("ko"):
        assert _numbers.money(4.05e9) == "40.5억 달러"
        assert _numbers.money(0.147) == "0.147달러"
        assert _numbers.signed(-0.123, "share") == "−12%p"
        assert _numbers.interval(2.1e6, 3.8e6, "count") == "210만~380만"


def test_what_is_missing_is_a_dash():
    for write in (_numbers.number, _numbers.money, _numbers.share, _numbers.power_of_ten, _numbers.full):
        assert write(None) == _numbers.MISSING
        assert write(math.nan) == _numbers.MISSING
        assert write(math.inf) == _numbers.MISSING


@given(st.floats(min_value=-1e17, max_value=1e17, allow_nan=False))
def test_three_digits_are_never_further_off_than_half_a_per_cent(value):
    assert _numbers.significant(value) == pytest.approx(value, rel=0.0051, abs=1e-300)
    for lang in ("en", "ko"):
        with use_language(lang):
            assert _numbers.number(value)


def test_axes_are_scaled_by_the_steps_of_the_language():
    with use_language("en"):
        assert _numbers.scale(3e6) == (1e6, "million")
    with use_language("ko"):
        assert _numbers.scale(3e6) == (1e4, "만")
    assert _numbers.scale(12) == (1.0, "")
