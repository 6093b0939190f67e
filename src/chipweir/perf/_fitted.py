"""Everything that is fitted, together: efficiencies of serving, numbers of training, the power curve.

One file holds all of them (`--fit FILE --out all.json`), or a folder holds one file each, as the package ships them; the
yardsticks beside the estimates (`_baselines`) are fitted with them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir import reading
from chipweir.errors import InputError
from chipweir.perf import _efficiency, _energy


if TYPE_CHECKING:
    from chipweir.perf import _training


# The files of a folder, as the package ships them.
SERVING, TRAINING, POWER = "posterior.json", "training.json", "power.json"
LIMITS = reading.Limits(characters=20_000_000, values=2_000_000)
BASELINES = "baselines.json"
# What one document holds beside serving, under which name.
BESIDE = (("training", TRAINING), ("power", POWER), ("baselines", BASELINES))


@dataclass(frozen=True)
class Fitted:
    """What estimates are made with. `own_training`: numbers of training, None for the package's, which are read when
    something is trained."""

    serving: _efficiency.Posterior
    power: _energy.PowerCurve
    own_training: _training.Posterior | None = None

    @property
    def training(self) -> _training.Posterior:
        """The numbers of training."""
        from chipweir.perf import _training

        return self.own_training or _training.shipped_posterior()


def shipped_fitted() -> Fitted:
    """What comes with the package."""
    return Fitted(_efficiency.shipped(), _energy.shipped_curve())


def fitted(posterior: Fitted | _efficiency.Posterior | None) -> Fitted:
    """`posterior` with what it lacks taken from the package."""
    if isinstance(posterior, Fitted):
        return posterior
    shipped = shipped_fitted()
    return shipped if posterior is None else Fitted(posterior, shipped.power)


def read_fitted(path: Path) -> Fitted:
    """A file or a folder that `fit_everything` wrote; parts it lacks are the package's.

    Raises `InputError` where nothing can be read or a part is none.
    """
    from chipweir.perf import _training

    texts = {name: path / name for name in (SERVING, TRAINING, POWER) if (path / name).is_file()}
    if path.is_dir() and not texts:
        raise InputError(f"{path}: holds none of {SERVING}, {TRAINING}, {POWER}")
    parts = {name: _checked(at) for name, at in texts.items()} if path.is_dir() else _split(_checked(path), path)
    where = {name: str(path / name if path.is_dir() else path) for name in parts}
    shipped = shipped_fitted()
    return Fitted(
        _efficiency.from_json(parts[SERVING], where[SERVING]) if SERVING in parts else shipped.serving,
        _power(parts[POWER], where[POWER]) if POWER in parts else shipped.power,
        _training.posterior_from_json(parts[TRAINING], where[TRAINING]) if TRAINING in parts else None,
    )


def _power(text: str, where: str) -> _energy.PowerCurve:
    try:
        return _energy.curve_from_json(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _checked(path: Path) -> str:
    """The text of a file that is JSON within limits."""
    text = reading.read_text(path, "fitted posterior", LIMITS.characters)
    reading.parse_json(text, str(path), LIMITS)
    return text


def _split(text: str, path: Path) -> dict[str, str]:
    """The parts of one document: serving at its top, the others under their names; or one part alone."""
    record = json.loads(text)
    if not isinstance(record, dict):
        raise InputError(f"{path}: not a fitted posterior (no JSON object)")
    parts = {name: json.dumps(record.pop(key)) for key, name in BESIDE if key in record}
    if "offsets" in record:
        parts[TRAINING] = text
    elif "curve" in record:
        parts[POWER] = text
    elif record or not parts:
        parts[SERVING] = json.dumps(record)
    return parts


def together(documents: Mapping[str, str]) -> str:
    """The documents as one that `read_fitted` reads."""
    record: dict[str, Any] = json.loads(documents[SERVING]) if SERVING in documents else {}
    for key, name in BESIDE:
        if name in documents:
            record[key] = json.loads(documents[name])
    return json.dumps(record, separators=(",", ":")) + "\n"


def _with_energy(rows: Sequence[Mapping[str, str]], documents: Mapping[str, str]) -> str:
    """The document of the power curve with what of its error stays with energy, by these fits of serving and power."""
    from chipweir.perf._energy_fit import energy_share

    serving = _efficiency.from_json(documents[SERVING])
    known = Fitted(serving, _energy.curve_from_json(documents[POWER]))
    record = json.loads(documents[POWER])
    record["curve"]["energy_share"] = round(energy_share(rows, known), 3)
    return json.dumps(record, indent=1) + "\n"


def fit_everything(
    rows: Sequence[Mapping[str, str]], command: str, *, quick: bool = False, say: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """All that a table of measurements can fit, as documents by file name; `say` hears how it goes.

    Needs the `fit` extra. Raises `InputError` where no part can be fitted.
    """
    from chipweir.perf._baselines import fit_baselines
    from chipweir.perf._baselines import to_json as baselines_json
    from chipweir.perf._fit import fit
    from chipweir.perf._training_fit import fit_documents

    reasons: list[str] = []

    def hear(line: str) -> None:
        reasons.append(line)
        say(line)

    documents = fit_documents(rows, command, hear, quick=quick)
    try:
        say("serving: fitting")
        serving = fit(rows, command, quick=quick, say=lambda line: say(f"serving, {line}"))
        documents = {SERVING: _efficiency.to_json(serving), **documents}
    except InputError as error:
        hear(f"serving: {error}")
    if {SERVING, POWER} <= set(documents):
        documents[POWER] = _with_energy(rows, documents)
    if documents:
        documents[BASELINES] = baselines_json(fit_baselines(rows), command)
    else:
        raise InputError("nothing can be fitted: " + "; ".join(reasons))
    return documents
