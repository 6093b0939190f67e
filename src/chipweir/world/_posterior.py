"""The shipped posterior: what past observations say of the parameters, as a table of normal scores, and draws from it.

The table has one row a member of the fit and one column a score that the observations could inform; all other scores keep
their prior. A draw takes three rows j, k, l by the stream `posterior` and mixes them,

    x = m + sqrt(1 - h^2) (x_j - m) + h (x_k - x_l) / sqrt(2),   h = 0.3,

the kernel of Liu and West (2001): mean `m` and covariance of the rows are kept, no row is ever repeated, and the first
thousand of ten thousand draws are those of a thousand.
"""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir import reading
from chipweir.errors import InputError


if TYPE_CHECKING:
    from chipweir.facts import Facts

FloatArray = npt.NDArray[np.float64]

# Width of the kernel against the spread of the rows.
_KERNEL = 0.3
# Rooms whose equations and tables a fit rests on.
_ROOMS = ("chipweir.supply", "chipweir.market", "chipweir.world")


@dataclass(frozen=True)
class Posterior:
    """Rows of normal scores `[row, column]` by the names of their streams, and how they were made (`manifest`)."""

    columns: tuple[str, ...]
    rows: npt.NDArray[np.float32]
    manifest: Mapping[str, Any]

    @property
    def as_of(self) -> str:
        """The cut-off of its facts and observations."""
        return str(self.manifest["as_of"])

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Columns by name."""
        return {name: i for i, name in enumerate(self.columns)}

    @cached_property
    def mean(self) -> FloatArray:
        return np.asarray(self.rows.mean(0, dtype=float))

    @cached_property
    def spread(self) -> FloatArray:
        return np.asarray(self.rows.std(0, dtype=float))

    @property
    def digest(self) -> str:
        """SHA-256 of rows and columns."""
        return sha256(self.rows.tobytes() + "\n".join(self.columns).encode()).hexdigest()

    def mixed(self, uniform: FloatArray) -> FloatArray:
        """Draws `[member, column]` from uniform numbers `[member, 3]`."""
        count = len(self.rows)
        first, second, third = np.minimum((uniform * count).astype(int), count - 1).T
        second = np.where(second == first, (second + 1) % count, second)
        for _ in range(2):
            third = np.where((third == first) | (third == second), (third + 1) % count, third)
        rows = self.rows.astype(float)
        own, along = rows[first] - self.mean, (rows[second] - rows[third]) / np.sqrt(2)
        mixed: FloatArray = self.mean + np.sqrt(1 - _KERNEL**2) * own + _KERNEL * along
        return mixed

    def save(self, file: Path | IO[bytes]) -> None:
        """Write as a compressed `.npz`."""
        manifest = json.dumps(dict(self.manifest), ensure_ascii=False)
        np.savez_compressed(file, rows=self.rows, columns=np.array(self.columns), manifest=np.array(manifest))


def read_posterior(path: Path) -> Posterior:
    """A posterior that `save` wrote. Raises `InputError` for any other file."""
    try:
        with np.load(path, allow_pickle=False) as held:
            columns = tuple(held["columns"].astype(str).tolist())
            rows = held["rows"].astype(np.float32)
            manifest = reading.parse_json(str(held["manifest"]), str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception:
        raise InputError(f"{path}: no posterior; `chipweir calibrate --out FILE` writes one") from None
    if rows.ndim != 2 or rows.shape[1] != len(columns) or not np.isfinite(rows).all() or len(rows) < 3:
        raise InputError(f"{path}: a posterior is a table of at least three rows of finite scores")
    return Posterior(columns, rows, manifest)


@cache
def shipped_posterior(as_of: str = "") -> Posterior | None:
    """The posterior that is shipped, for a cut-off such as 2024-12-31 where one is named; None where there is none."""
    name = f"posterior-{as_of}.npz" if as_of else "posterior.npz"
    file = resources.files("chipweir.world") / "data" / name
    if not file.is_file():
        return None
    with resources.as_file(file) as path:
        return read_posterior(path)


def posterior_of(facts: "Facts") -> Posterior | None:
    """The shipped posterior for these facts: the latest, or as of an earlier day the last one that was not later."""
    if facts.as_of is None:
        return shipped_posterior()
    folder = resources.files("chipweir.world") / "data"
    days = sorted(file.name[len("posterior-") : -len(".npz")] for file in folder.iterdir() if _cut(file.name))
    known = [day for day in days if day <= facts.as_of.isoformat()]
    return shipped_posterior(known[-1]) if known else None


def _cut(name: str) -> bool:
    return name.startswith("posterior-") and name.endswith(".npz")


@cache
def equations_digest() -> str:
    """SHA-256 of what the equations and tables of the world are: comments and docstrings do not count."""
    digest = sha256()
    for room in _ROOMS:
        folder = resources.files(room)
        tables = [*folder.iterdir(), *((folder / "data").iterdir() if (folder / "data").is_dir() else ())]
        for file in sorted(tables, key=lambda each: each.name):
            if file.name.endswith(".py"):
                digest.update(_bare(file.read_text(encoding="utf-8")).encode())
            elif file.name.endswith(".csv") and file.name not in ("variables.csv", "equations.csv", "levers.csv"):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _bare(source: str) -> str:
    """A program without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            node.body = body[1:]  # type: ignore[attr-defined]
    return ast.dump(tree)


def mismatch(posterior: Posterior, facts: "Facts") -> tuple[str, ...]:
    """What of a posterior is not of these facts and this model, a line each; empty where all agrees."""
    said = []
    if posterior.manifest.get("equations") != equations_digest():
        said.append(
            f"the model has changed since beliefs were fitted on {posterior.manifest.get('made', 'an unknown day')}"
        )
    if posterior.manifest.get("facts") != facts.digest:  # beliefs that were reweighted to a what-if carry its digest
        said.append(_other_facts(posterior, facts))
    if said:
        said.append("`chipweir calibrate` fits them anew; `--prior` leaves the fit out")
    return tuple(said)


def _other_facts(posterior: Posterior, facts: "Facts") -> str:
    """How facts are others than those of a posterior."""
    if facts.changes:
        return f"beliefs were not refitted to the what-if on {', '.join(facts.changes)}"
    if facts.as_of is not None and posterior.as_of != facts.as_of.isoformat():
        return f"beliefs are those fitted as of {posterior.as_of}"
    if facts.overrides or len(facts.files) != posterior.manifest.get("files"):
        return "beliefs were not refitted to your own facts"
    return "facts have changed since beliefs were fitted"


def description(posterior: Posterior | None) -> str:
    """What draws are taken from, as manifests and results name it."""
    return "prior" if posterior is None else f"posterior as of {posterior.as_of} ({posterior.digest[:12]})"


def mean_scores(posterior: Posterior, names: Sequence[str]) -> FloatArray:
    """Mean and spread of the named scores `[2, name]`: 0 and 1 where observations say nothing."""
    place = posterior.place
    return np.array(
        [
            [posterior.mean[place[name]] if name in place else 0.0 for name in names],
            [posterior.spread[place[name]] if name in place else 1.0 for name in names],
        ]
    )
