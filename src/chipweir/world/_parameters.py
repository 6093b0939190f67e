"""The uncertain numbers: one table of named parameters with prior, unit and source, and their reproducible draws.

Every parameter owns a stream of random numbers named after it, so that scenarios share draws member by member, the first
thousand members of ten thousand are the same as a thousand, and a new parameter disturbs no other.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import resources

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError, UnknownName
from chipweir.world._posterior import Posterior, shipped_posterior


FloatArray = npt.NDArray[np.float64]

DISTRIBUTIONS = ("normal", "lognormal", "logitnormal")
# Normal score of the 95th percentile: `low` and `high` of the table are the 5th and 95th.
_SCORE_95 = 1.6448536269514722


@dataclass(frozen=True)
class Parameter:
    """A row of `parameters.csv`: `low`, `central` and `high` are the 5th, 50th and 95th percentile of the prior.

    `count` above 1 is a vector of independent numbers of one prior, such as the knots of a path.
    """

    name: str
    group: str
    distribution: str
    low: float
    central: float
    high: float
    unit: str
    description: str
    description_ko: str
    source: str
    count: int = 1

    def at(self, score: FloatArray) -> FloatArray:
        """The parameter at standard normal scores: a normal in log or logit space with unequal halves."""
        low, central, high = (_forward(self.distribution, value) for value in (self.low, self.central, self.high))
        scale = np.where(score > 0, high - central, central - low) / _SCORE_95
        return _backward(self.distribution, central + scale * score)


def _forward(distribution: str, value: float) -> float:
    if distribution == "lognormal":
        return float(np.log(value))
    if distribution == "logitnormal":
        return float(np.log(value / (1 - value)))
    return value


def _backward(distribution: str, value: FloatArray) -> FloatArray:
    if distribution == "lognormal":
        return np.exp(value)
    if distribution == "logitnormal":
        return 1 / (1 + np.exp(-value))
    return value


@cache
def parameters() -> Mapping[str, Parameter]:
    """The table of parameters by name, in the order of the file."""
    text = (resources.files("chipweir.world") / "parameters.csv").read_text(encoding="utf-8")
    return read_parameters(text)


def read_parameters(text: str, where: str = "parameters.csv") -> dict[str, Parameter]:
    """Parse and check a table of parameters. Raises `InputError` naming the line."""
    table: dict[str, Parameter] = {}
    for line, row in enumerate(csv.DictReader(text.splitlines()), 2):
        place = f"{where} line {line}"
        try:
            bounds = {key: float(row[key]) for key in ("low", "central", "high")}
            parameter = Parameter(**{**row, **bounds, "count": int(row["count"] or 1)})  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{place}: {error}") from None
        if parameter.distribution not in DISTRIBUTIONS:
            raise UnknownName("distribution", parameter.distribution, DISTRIBUTIONS, place)
        if not parameter.low < parameter.central < parameter.high:
            raise InputError(f"{place}: {parameter.name} needs low < central < high")
        if parameter.distribution == "lognormal" and parameter.low <= 0:
            raise InputError(f"{place}: a lognormal {parameter.name} needs bounds above 0")
        if parameter.distribution == "logitnormal" and not (parameter.low > 0 and parameter.high < 1):
            raise InputError(f"{place}: a logitnormal {parameter.name} needs bounds between 0 and 1")
        if parameter.name in table:
            raise InputError(f"{place}: {parameter.name} stands twice")
        table[parameter.name] = parameter
    return table


def scores(name: str, members: int, seed: int) -> FloatArray:
    """Standard normal scores of one parameter's own stream; shape `[members]`, a prefix of any longer draw."""
    return stream(name, seed).standard_normal(members)


def stream(name: str, seed: int) -> np.random.Generator:
    """The stream of random numbers that is named after a parameter."""
    digest = blake2b(f"chipweir/{name}".encode(), digest_size=16).digest()
    words = [int.from_bytes(digest[start : start + 8], "little") for start in (0, 8)]
    key = np.array([words[0] ^ (seed & (2**64 - 1)), words[1]], dtype=np.uint64)  # a list may turn into floats
    return np.random.Generator(np.random.Philox(key=key))


# What draws believe where they are told nothing: the shipped posterior, until a context says otherwise.
_BELIEFS: ContextVar[Posterior | str | None] = ContextVar("beliefs", default="shipped")
# The stream that takes rows of the posterior.
_ROWS = "posterior"


def beliefs() -> Posterior | None:
    """The posterior that draws are taken from; None where they are taken from the prior."""
    held = _BELIEFS.get()
    return shipped_posterior() if isinstance(held, str) else held


def told_beliefs() -> bool:
    """Whether a context says what draws are to believe."""
    return not isinstance(_BELIEFS.get(), str)


@contextmanager
def believing(posterior: Posterior | None) -> Iterator[None]:
    """Within it, draws are taken from this posterior, or from the prior."""
    token = _BELIEFS.set(posterior)
    try:
        yield
    finally:
        _BELIEFS.reset(token)


def draw(members: int, seed: int = 0, table: Mapping[str, Parameter] | None = None) -> dict[str, FloatArray]:
    """Draws of every parameter, each of shape `[members]` or `[members, count]`: from the beliefs in force, or of the prior
    of a `table` that is given. Raises `InputError` for no members.
    """
    if members < 1:
        raise InputError(f"members must be at least 1, not {members}")
    if table is not None:
        return {name: parameter.at(normal_scores(parameter, members, seed)) for name, parameter in table.items()}
    return next(draw_blocks(members, seed, members))


def normal_scores(parameter: Parameter, members: int, seed: int = 0) -> FloatArray:
    """Prior scores of a parameter, `[members]`, or `[members, count]` with a stream for each of a vector."""
    return _columns([scores(name, members, seed) for name in _streams(parameter)])


def draw_blocks(members: int, seed: int, size: int) -> Iterator[dict[str, FloatArray]]:
    """The draws of `draw(members, seed)` in blocks of `size` members, none of which is held longer than asked for."""
    table, held = parameters(), beliefs()
    streams = {name: [stream(each, seed) for each in _streams(parameter)] for name, parameter in table.items()}
    rows = stream(_ROWS, seed)
    for start in range(0, members, size):
        count = min(size, members - start)
        known = {} if held is None else dict(zip(held.columns, held.mixed(rows.random((count, 3))).T, strict=True))
        yield {
            name: parameter.at(
                _columns(
                    [
                        known.get(label, prior)
                        for label, prior in (
                            (label, each.standard_normal(count))
                            for label, each in zip(_streams(parameter), streams[name], strict=True)
                        )
                    ]
                )
            )
            for name, parameter in table.items()
        }


def score_names() -> tuple[str, ...]:
    """Names of all scores in the order of the table: `name`, or `name/0` and so on for a vector."""
    return tuple(label for parameter in parameters().values() for label in _streams(parameter))


def at_scores(columns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Every parameter at scores by name, `[members]` each (those of `score_names`)."""
    return {
        name: parameter.at(_columns([columns[label] for label in _streams(parameter)]))
        for name, parameter in parameters().items()
    }


def _streams(parameter: Parameter) -> list[str]:
    """Names of a parameter's streams: its own, or one for each element of a vector."""
    return [parameter.name] if parameter.count == 1 else [f"{parameter.name}/{i}" for i in range(parameter.count)]


def _columns(found: list[FloatArray]) -> FloatArray:
    return found[0] if len(found) == 1 else np.stack(found, axis=1)


def central(table: Mapping[str, Parameter] | None = None) -> dict[str, FloatArray]:
    """Every parameter at its median, each of shape `[]` or `[count]`."""
    known = parameters() if table is None else table
    return {
        name: np.full(() if parameter.count == 1 else parameter.count, parameter.central)
        for name, parameter in known.items()
    }


def members_of(draws: Mapping[str, FloatArray], chosen: Sequence[int] | slice) -> dict[str, FloatArray]:
    """The chosen members of a set of draws."""
    return {name: values[chosen] for name, values in draws.items()}
