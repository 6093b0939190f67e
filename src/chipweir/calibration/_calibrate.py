"""A fit from facts to posterior: prior ensemble, assimilation, moves, and the table that is shipped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._echo import echoes
from chipweir.calibration._likelihood import Likelihood
from chipweir.calibration._observations import Observation, observations, with_echo
from chipweir.calibration._predict import LAST_MONTH, Mapper, inputs_of, predict
from chipweir.calibration._quantity import FloatArray
from chipweir.calibration._smoother import MOVES, State, begin, move, prune, step
from chipweir.errors import InputError
from chipweir.world import (
    FIRST_KNOT,
    FIRST_MONTH,
    PATHS,
    Posterior,
    at_scores,
    equations_digest,
    normal_scores,
    parameters,
    score_names,
)


if TYPE_CHECKING:
    from chipweir.facts import Facts

Tell = Callable[[float, str], None]

# Scores drawn per fit: what is not in the table of parameters as a belief, event or knot counts too.
_EVENTS = ("event_happens", "event_when")
FIT_MEMBERS = 1000


@dataclass(frozen=True)
class Fit:
    """A fit: `observations` (echoes flagged, all of them), logs of the model's numbers before and after `[member, row]`,
    the model's error by series, and how the moves went."""

    posterior: Posterior
    observations: tuple[Observation, ...]
    prior: FloatArray
    fitted: FloatArray
    sizes: Mapping[str, float]
    steps: int
    moves: int
    accepted: float


def counted(rows: Sequence[Observation], last: str = LAST_MONTH) -> tuple[int, ...]:
    """Places of the observations that a fit uses: no echoes, nothing beyond its months."""
    return tuple(i for i, o in enumerate(rows) if not o.echo and o.end <= last)


def cutoff(facts: "Facts") -> date:
    """The day as of which a fit is: that of the facts, else the last day of what they observed."""
    return facts.as_of or facts.latest


def columns() -> tuple[str, ...]:
    """Scores that a fit may move: all but policy events, which come after every observation, and the knots beyond."""
    last = np.datetime64(LAST_MONTH, "M")
    return tuple(name for name in score_names() if name.split("/")[0] not in _EVENTS and _knot(name) <= last)


def _knot(name: str) -> np.datetime64:
    """First month in which a score matters: the knot before its own."""
    belief, _, place = name.partition("/")
    if belief not in PATHS or not place:
        return np.datetime64(FIRST_MONTH, "M")
    return max(FIRST_KNOT + 6 * (int(place) - 1), np.datetime64(FIRST_MONTH, "M"))


def reach(names: Sequence[str], rows: Sequence[Observation]) -> FloatArray:
    """1 where a score can matter to an observation, 0 where it comes later, `[score, observation]`."""
    starts, ends = np.array([_knot(name) for name in names]), np.array([o.end for o in rows], dtype="datetime64[M]")
    return (starts[:, None] <= ends[None]).astype(float)


def prior_scores(names: Sequence[str], members: int, seed: int) -> FloatArray:
    """Prior scores `[member, score]`, of the streams of every parameter."""
    by_name: dict[str, FloatArray] = {}
    for name, parameter in parameters().items():
        found = normal_scores(parameter, members, seed)
        if parameter.count == 1:
            by_name[name] = found
        else:
            by_name |= {f"{name}/{i}": found[:, i] for i in range(parameter.count)}
    return np.stack([by_name[name] for name in names], axis=1)


def predictor(facts: "Facts", names: Sequence[str], rows: Sequence[Observation], mapper: Mapper = map) -> Any:
    """A function from scores `[member, score]` to the model's numbers; scores that are not named stay at their medians."""
    inputs, every = inputs_of(facts), score_names()

    def numbers(scores: FloatArray) -> FloatArray:
        given = dict(zip(names, scores.T, strict=True))
        none = np.zeros(len(scores))
        return predict(inputs, at_scores({name: given.get(name, none) for name in every}), rows, mapper)

    return numbers


def calibrate(
    facts: "Facts",
    members: int = FIT_MEMBERS,
    seed: int = 0,
    moves: int = MOVES,
    extra: Sequence[Observation] = (),
    directory: Path | None = None,
    tell: Tell | None = None,
    mapper: Mapper = map,
) -> Fit:
    """Fit the parameters to what these facts observe, and to `extra` observations of a user.

    `directory` keeps the state after each step, so that a stopped fit goes on; equal seeds give equal posteriors. Raises
    `InputError` where there is nothing to fit.
    """
    said = tell or (lambda share, text: None)
    end = cutoff(facts)
    rows = [o for o in (*observations(facts), *extra) if o.end <= LAST_MONTH and _past(o, end)]
    if not rows:
        raise InputError(f"no observation of the model's quantities is known by {end}")
    said(0.0, "echoes")
    rows = list(with_echo(rows, echoes(rows, facts)))
    use = counted(rows)
    if not use:
        raise InputError(f"no observation known by {end} is other than an input of the model")
    likelihood = Likelihood(tuple(rows[i] for i in use))
    names = columns()
    numbers = predictor(facts, names, rows, mapper)
    stored = _Stored(directory, _identity(facts, rows, members, seed))

    def used(scores: FloatArray) -> FloatArray:
        return np.asarray(numbers(scores)[:, use])

    said(0.02, "prior")
    start = prior_scores(names, members, seed)
    state = stored.read("state")
    if state is None:
        state = begin(start, used, reach(names, likelihood.observations))
        stored.write("state", state)
    while state.taken < 1:
        said(0.05 + 0.4 * state.taken, f"step {state.steps + 1}")
        state = step(state, likelihood, used, seed)
        stored.write("state", state)
    if state.moves == 0:
        state = prune(state, likelihood, seed)
    while state.moves < moves:
        said(0.45 + 0.5 * state.moves / max(moves, 1), f"move {state.moves + 1}, {state.accepted:.0%} taken")
        state = move(state, likelihood, used, seed)
        stored.write("state", state)
    said(0.97, "reading the fit")
    before, after = numbers(start), numbers(state.scores)
    sizes = likelihood.sizes(after[:, use])
    posterior = _table(state, names, facts, rows, use, seed, end, sizes)
    return Fit(posterior, tuple(rows), before, after, sizes, state.steps, state.moves, state.accepted)


def _past(row: Observation, end: date) -> bool:
    return row.end <= f"{end:%Y-%m}"


def _table(
    state: State,
    names: Sequence[str],
    facts: "Facts",
    rows: Sequence[Observation],
    use: Sequence[int],
    seed: int,
    end: date,
    sizes: Mapping[str, float],
) -> Posterior:
    """The rows that are shipped: only scores that some observation could inform."""
    informed = np.flatnonzero((state.localisation > 0).any(1)).tolist()
    manifest = {
        "made": date.today().isoformat(),
        "as_of": end.isoformat(),
        "facts": facts.digest,
        "files": len(facts.files),
        "equations": equations_digest(),
        "observations": [rows[i].id for i in use],
        "echoes": [o.id for o in rows if o.echo],
        "members": len(state.scores),
        "seed": seed,
        "steps": state.steps,
        "moves": state.moves,
        "sizes": dict(sizes),
    }
    return Posterior(tuple(names[i] for i in informed), state.scores[:, informed].astype(np.float32), manifest)


def _identity(facts: "Facts", rows: Sequence[Observation], members: int, seed: int) -> str:
    text = "\n".join([facts.digest, equations_digest(), str(members), str(seed), *(repr(o) for o in rows)])
    return sha256(text.encode()).hexdigest()


class _Stored:
    """The state of a fit on disk, by what it is a fit of."""

    def __init__(self, directory: Path | None, identity: str) -> None:
        self.folder = None if directory is None else directory / identity[:16]

    def read(self, name: str) -> State | None:
        if self.folder is None or not (self.folder / f"{name}.npz").exists():
            return None
        with np.load(self.folder / f"{name}.npz") as held:
            fields = {key: held[key] for key in State.__dataclass_fields__}
        plain = {key: fields[key].item() for key in ("taken", "steps", "moves", "accepted")}
        return State(**{**fields, **plain, "sizes": tuple(fields["sizes"].tolist())})

    def write(self, name: str, state: State) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f"{name}.part.npz"
        np.savez(beside, **{key: getattr(state, key) for key in State.__dataclass_fields__})
        beside.replace(self.folder / f"{name}.npz")
