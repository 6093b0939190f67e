"""What a page shows, as a value that lives in the address: share the address and the other sees the same."""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import LANGUAGES


if TYPE_CHECKING:
    from chipweir.world import Scenario

TABS = ("compute", "market", "flows", "supply", "models", "korea")
FIRST_YEAR, LAST_YEAR = 2022, 2032
DEFAULT_START = "2026-12"
OWN_NAME = "mine"
_LONGEST = 8_000
_LONGEST_ANSWER = 300
_PREFIX = "s."
_RUN = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]{1,150}")
_EXTRA = re.compile(r"[rcfk]\.[a-z]{1,12}")
_CHART = re.compile(r"[a-z][a-z_.-]{0,40}")


@dataclass(frozen=True)
class View:
    """What a page shows: scenario B is `preset` with `settings` from `start` on, A is the preset `against`.

    `chart` is the one chart that is shown alone, or empty for the whole page. `extra` holds the questions put on the other
    pages, by names such as `r.chip`.
    """

    lang: str = "en"
    theme: str = ""
    preset: str = "baseline"
    against: str = "baseline"
    start: str = DEFAULT_START
    settings: tuple[tuple[str, float | str], ...] = ()
    tab: str = "compute"
    year: int = 2030
    run: str = ""
    chart: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = field(default=(), compare=False)

    def query(self) -> str:
        """The address part after the question mark; what stands at its default is left out."""
        kept = [
            (key, str(getattr(self, name)))
            for key, name in _PLAIN.items()
            if getattr(self, name) != getattr(_DEFAULT, name)
        ]
        own = [(_PREFIX + name, _written(value)) for name, value in self.settings]
        return urlencode([*kept, *own, *self.extra])

    def asked(self, key: str, default: str = "") -> str:
        """What stands under `key` in `extra`."""
        return dict(self.extra).get(key, default)

    def ask(self, **values: str) -> "View":
        """The view with questions in `extra` replaced; `_` in a name stands for the dot; empty ones are dropped."""
        named = {name.replace("_", ".", 1): text for name, text in values.items()}
        kept = {**dict(self.extra), **named}
        return replace(self, extra=tuple(sorted((key, text) for key, text in kept.items() if text)))


_DEFAULT = View()
_PLAIN = {
    "lang": "lang",
    "theme": "theme",
    "p": "preset",
    "a": "against",
    "from": "start",
    "tab": "tab",
    "y": "year",
    "run": "run",
    "chart": "chart",
}


def usual() -> dict[str, str]:
    """What each plain part of an address stands at where it is left out."""
    return {key: str(getattr(_DEFAULT, name)) for key, name in _PLAIN.items()}


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"


def read_view(query: str) -> View:
    """The view that an address asks for. What can't be understood is left at its default and named in `problems`."""
    if len(query) > _LONGEST:
        return View(problems=("the address is too long",))
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=False, errors="replace", max_num_fields=200)
    view, problems, settings = View(), [], {}
    for key, text in pairs:
        try:
            if key.startswith(_PREFIX):
                name, value = read_setting(key.removeprefix(_PREFIX), text)
                settings[name] = value
            else:
                view = _with(view, key, text)
        except InputError as error:
            problems.append(str(error))
    return replace(view, settings=tuple(sorted(settings.items())), problems=tuple(problems))


def _with(view: View, key: str, text: str) -> View:
    from chipweir import world

    match key:
        case "lang":
            return replace(view, lang=_one_of("language", text, LANGUAGES))
        case "theme":
            return replace(view, theme=_one_of("theme", text, ("light", "dark")))
        case "p":
            return replace(view, preset=_one_of("preset", text, world.preset_names()))
        case "a":
            return replace(view, against=_one_of("preset", text, world.preset_names()))
        case "from":
            return replace(view, start=read_start(text))
        case "tab":
            return replace(view, tab=_one_of("tab", text, TABS))
        case "y":
            return replace(view, year=_year(text))
        case "run":
            return replace(view, run=_run(text))
        case "chart":
            if not _CHART.fullmatch(text):
                raise InputError(f"'{text[:40]}' is not the name of a chart")
            return replace(view, chart=text)
        case _ if _EXTRA.fullmatch(key):
            return replace(view, extra=tuple(sorted({**dict(view.extra), key: text[:_LONGEST_ANSWER]}.items())))
        case _:
            return view


def _one_of(kind: str, text: str, known: Any) -> str:
    if text not in known:
        raise UnknownName(kind, text[:60], known)
    return text


def _run(text: str) -> str:
    """The id of a stored run; never a path."""
    if not _RUN.fullmatch(text):
        raise InputError(f"'{text[:40]}' is not the id of a run")
    return text


def _year(text: str) -> int:
    if not (text.isdecimal() and len(text) == 4 and FIRST_YEAR <= int(text) <= LAST_YEAR):
        raise InputError(f"year '{text[:20]}' is not between {FIRST_YEAR} and {LAST_YEAR}")
    return int(text)


def read_start(text: str) -> str:
    """A month such as 2026-12 from which changes hold."""
    year, dash, month = text[:10].partition("-")
    good = dash and year.isdecimal() and month.isdecimal() and len(year) == 4 and len(month) == 2
    if not good or not (FIRST_YEAR <= int(year) <= LAST_YEAR and 1 <= int(month) <= 12):
        raise InputError(f"'{text[:20]}' is not a month between {FIRST_YEAR}-01 and {LAST_YEAR}-12; write 2026-12")
    return f"{year}-{month}"


def read_setting(name: str, value: object) -> tuple[str, float | str]:
    """A lever's full name and its checked value. Raises `InputError` for anything a scenario file would refuse."""
    from chipweir import world

    lever, product = world.find_lever(name[:80])
    full = f"{lever.name}.{product}" if lever.by_product else lever.name
    given: object = value
    if isinstance(value, str) and value != world.LAW and lever.kind != "choice":
        try:
            given = float(value)
        except ValueError:
            given = value[:40]
    checked = lever.value(given, full)
    return full, checked


def scenario_of(view: View) -> "Scenario":
    """Scenario B: the preset, or the preset with the view's settings from its start month on, called `mine`."""
    preset = _preset(view.preset)
    if not view.settings:
        return preset
    return preset.with_settings({name: {view.start: value} for name, value in view.settings}, name=OWN_NAME)


def reference_of(view: View) -> "Scenario":
    """Scenario A."""
    return _preset(view.against)


@lru_cache(32)
def _preset(name: str) -> "Scenario":
    from chipweir import world

    return world.load_scenario(name)
