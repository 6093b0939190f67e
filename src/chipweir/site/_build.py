"""Writing the site: data as JSON within script files, so that pages read them from the disk as from a server."""

import base64
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError
from chipweir.i18n import LANGUAGES, _, use_language
from chipweir.site import _pages, _records
from chipweir.site._emulate import Accuracy, Scale, accuracy
from chipweir.site._grid import START, Case, Grid, Plan, Progress, Values, plan, simulate


if TYPE_CHECKING:
    from chipweir.facts import Facts

MEMBERS = 128
SEED = 1
MARK = "chipweir-site.json"
"""The file by which a folder is known for a site that may be replaced."""
_MISSING = 65535


@dataclass(frozen=True)
class Built:
    """A written site: where, its size in bytes, what was simulated, and how well its emulator does by outcome."""

    path: Path
    size: int
    cases: int
    members: int
    accuracy: dict[str, Accuracy]


def build(
    directory: str | Path,
    members: int = MEMBERS,
    seed: int = SEED,
    progress: Progress = lambda share, text: None,
    *,
    cases: Plan | None = None,
    chips: Sequence[str] | None = None,
    today: date | None = None,
) -> Built:
    """Simulate, measure, write `directory` whole or not at all, and say how it went.

    `cases` and `chips` (those whose licence answers are worked out) are all of them unless given; `progress(share, text)`
    is told how far. Raises `InputError` where the directory holds something else or cannot be written.
    """
    from chipweir import facts
    from chipweir.library import keep_compiled

    target = Path(directory)
    _check(target, members)
    known, day = facts.load(), today or date.today()
    keep_compiled()
    chosen = plan() if cases is None else cases
    grid = simulate(chosen, known, members, seed, lambda share, text: progress(0.7 * share, text))
    measured = {key: accuracy(grid, key) for key in grid.outcomes}
    answers = _records.rules(known, day, lambda share, text: progress(0.7 + 0.2 * share, text), chips)
    progress(0.9, _("published figures"))
    verdicts = _believed(known, members, seed)
    progress(0.97, _("writing"))
    with _put(target) as folder:
        _write_data(folder, grid, measured, known, answers)
        _write_pages(folder, grid, measured, verdicts, day)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return Built(target, size, len(grid.values), members, measured)


def _check(target: Path, members: int) -> None:
    if not 8 <= members <= 1000:
        raise InputError(_("members {members} is out of range; give 8 to 1000", members=members))
    if target.is_file():
        raise InputError(_("{path} is a file; name a directory", path=target))
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).exists():
        raise InputError(_("{path} holds something else; name an empty or new directory", path=target))


class _put:
    """A folder beside `target` that takes its place once all is written."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __enter__(self) -> Path:
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f".{self.target.name}-", dir=self.target.parent))
            self.folder.chmod(0o755)
        except OSError as error:
            raise InputError(
                _("cannot write {path}: {reason}", path=self.target, reason=error.strerror or error)
            ) from error
        return self.folder

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            if self.target.exists():
                shutil.rmtree(self.target)
            self.folder.rename(self.target)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def _believed(facts: "Facts", members: int, seed: int) -> list[dict[str, Any]]:
    from chipweir.calibration import credibility

    return [verdict.as_dict() for verdict in credibility(facts, min(members, 256), seed)]


def _write_data(
    folder: Path, grid: Grid, measured: dict[str, Accuracy], facts: "Facts", answers: dict[str, Any]
) -> None:
    (folder / "data").mkdir()
    acting = [grid.years.index(year) for year in acting_years(grid)]
    scales = {key: measured[key].scale for key in grid.outcomes}
    for preset in grid.plan.presets:
        base = grid.values[Case(preset)]
        moves = {
            _move(case): {
                key: _packed(case_values[key][:, acting], base[key][:, acting], scales[key]) for key in grid.outcomes
            }
            for case in grid.plan.alone
            if case.preset == preset and case.settings
            for case_values in [grid.values[case]]
        }
        data = {"base": {key: _packed(base[key], None, scales[key]) for key in grid.outcomes}, "moves": moves}
        _script(folder, preset, data)
    _script(folder, "chips", _records.chips(facts))
    _script(folder, "rules", answers)
    _script(folder, "facts", _records.known())


def acting_years(grid: Grid) -> tuple[int, ...]:
    """The years whose December the levers can reach."""
    return tuple(year for year in grid.years if year >= int(START[:4]))


def _move(case: Case) -> str:
    """`us.enforcement=2`: how the pages name a setting."""
    (name, value), *_others = case.settings
    return f"{name}={_pages.written(value)}"


def _packed(values: Values, base: Values | None, scale: Scale) -> list[Any] | None:
    """Values `[member, year]` on their scale in 16-bit steps; None where they are those of the preset."""
    if base is not None and np.array_equal(values, base, equal_nan=True):
        return None
    scaled = scale.to(values.astype(float))
    known = np.isfinite(scaled)
    low, high = (float(scaled[known].min()), float(scaled[known].max())) if known.any() else (0.0, 0.0)
    steps = np.full(scaled.shape, _MISSING, dtype="<u2")
    steps[known] = np.round((scaled[known] - low) / ((high - low) or 1) * (_MISSING - 1))
    return [low, high, base64.b64encode(steps.tobytes()).decode()]


def _script(folder: Path, name: str, data: Any) -> None:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    (folder / "data" / f"{name}.js").write_text(f'chipweir.receive("{name}", {text});\n', encoding="utf-8")


def _write_pages(
    folder: Path, grid: Grid, measured: dict[str, Accuracy], verdicts: list[dict[str, Any]], day: date
) -> None:
    from jinja2 import Environment, PackageLoader
    from plotly.offline import get_plotlyjs

    import chipweir

    environment = Environment(loader=PackageLoader("chipweir.site", "templates"), autoescape=True)
    (folder / "assets").mkdir()
    for name in ("site.js", "site.css"):
        text = (resources.files("chipweir.site") / "templates" / name).read_text(encoding="utf-8")
        (folder / "assets" / name).write_text(text, encoding="utf-8")
    (folder / "assets" / "plotly.js").write_text(get_plotlyjs(), encoding="utf-8")
    choices = []
    for lang in LANGUAGES:
        (folder / lang).mkdir()
        with use_language(lang):
            choices.append((lang, _("Chipweir in English")))
            for page in _pages.pages(grid, measured, verdicts, day):
                text = environment.get_template("page.html.j2").render(_=_, **page)
                (folder / lang / page["file"]).write_text(text, encoding="utf-8")
    index = environment.get_template("index.html.j2").render(choices=choices[::-1])
    (folder / "index.html").write_text(index, encoding="utf-8")
    made = {"version": chipweir.__version__, "members": grid.members, "seed": grid.seed, "built": day.isoformat()}
    (folder / MARK).write_text(json.dumps(made), encoding="utf-8")
