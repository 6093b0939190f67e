"""Scoring the room against a ledger of annotated claims (the schema of `claims.yaml`).

A figure counts as found where an extracted span meets the annotated one; each extracted figure answers for at most
one annotation. Its value is right where it equals the annotated value, or lies inside the annotated limits, in the
same unit; dates are right where the shortest ISO form is the same or the annotated and the extracted days overlap in
at least half of the longer of the two. Frames and issues are scored by the room that fills them: `evaluate` hands
each document's extraction and records to the hooks it is given.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from chipweir import reading
from chipweir.errors import InputError
from chipweir.evidence._ledger import LIMITS
from chipweir.evidence._reading import extract, read
from chipweir.text import Document, Extraction, Quantity
from chipweir.text import calendar as cal


UNITS = {
    "yr": ("year", ""),
    "chip": ("count", ""),
    "USD/1e6 token": ("USD", "per_1e6_token"),
    "CNY/1e6 token": ("CNY", "per_1e6_token"),
    "KRW/1e6 token": ("KRW", "per_1e6_token"),
    "wafer": ("count", ""),
    "unit": ("count", ""),
    "percent": ("fraction", ""),
}
LINKED_KINDS = frozenset(
    {
        "arch",
        "benchmark",
        "chip",
        "ecosystem",
        "event",
        "fab",
        "gov",
        "model",
        "node",
        "org",
        "person",
        "place",
        "region",
        "system",
        "tech",
        "component",
        "channel",
        "policy",
    }
)
FrameScore = Callable[[Extraction, Sequence[Mapping[str, Any]]], Mapping[str, int]]
IssueScore = Callable[[Mapping[str, Extraction], Sequence[Mapping[str, Any]]], Mapping[str, Any]]


@dataclass(frozen=True)
class Score:
    """Counts of one document or of all; `misses` lists what went wrong, for reading."""

    gold: int = 0
    extracted: int = 0
    found: int = 0
    right: int = 0
    false: int = 0
    entities_gold: int = 0
    entities_found: int = 0
    entities_extracted: int = 0
    entities_false: int = 0
    misses: tuple[str, ...] = ()

    def __add__(self, other: "Score") -> "Score":
        numbers = {key: getattr(self, key) + getattr(other, key) for key in asdict(self)}
        return Score(**numbers)

    def as_json(self) -> dict[str, Any]:
        """The counts and the five rates (None where there is nothing to divide by)."""
        return {
            **{key: item for key, item in asdict(self).items() if key != "misses"},
            "quantity_recall": _rate(self.found, self.gold),
            "quantity_precision": _rate(self.extracted - self.false, self.extracted),
            "value_right": _rate(self.right, self.gold),
            "entity_recall": _rate(self.entities_found, self.entities_gold),
            "entity_precision": _rate(self.entities_extracted - self.entities_false, self.entities_extracted),
            "misses": list(self.misses),
        }


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def load_ledger(path: str | Path) -> Mapping[str, Any]:
    """A ledger file. Raises `InputError` where it is missing, no YAML, or has no `claims` with `seed` and `char`."""
    loaded = reading.read_yaml(Path(path), "ledger", LIMITS).data
    if not isinstance(loaded, dict) or not isinstance(loaded.get("claims"), list):
        raise InputError(f"ledger '{path}' has no list 'claims'")
    for number, claim in enumerate(loaded["claims"]):
        if not isinstance(claim, dict) or "seed" not in claim:
            raise InputError(f"ledger '{path}': claim {number + 1} has no 'seed' (the article's file name)")
    return loaded


def gold_quantities(ledger: Mapping[str, Any], seed: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """(to be extracted, not to be extracted) annotations of one article, `char` spans and all."""
    rows = [row for claim in ledger["claims"] if claim["seed"] == seed for row in claim.get("quantity", ())]
    rows += [row for row in ledger.get("other_numeric_mentions", ()) if row["seed"] == seed]
    wanted = [row for row in rows if row.get("extract", True) and row.get("type") != "idiom"]
    return wanted, [row for row in rows if row not in wanted]


def score_quantities(quantities: Sequence[Quantity], wanted: Sequence[Mapping[str, Any]]) -> Score:
    """Recall, precision and values of one document's figures."""
    free = list(quantities)
    found = right = 0
    misses = []
    for row in wanted:
        start, end = row["char"]
        met = [item for item in free if item.start < end and start < item.end]
        best = max(
            met, key=lambda item: (value_right(item, row), min(item.end, end) - max(item.start, start)), default=None
        )
        if best is None:
            misses.append(f"not found: '{row['surface']}' ({row.get('value')} {row.get('unit')})")
            continue
        free.remove(best)
        found += 1
        if value_right(best, row):
            right += 1
        else:
            misses.append(
                f"value: '{row['surface']}' {row.get('value')} {row.get('unit')}, read as {best.value} {best.unit}"
            )
    spans = [tuple(row["char"]) for row in wanted]
    false = [item for item in free if not any(item.start < end and start < item.end for start, end in spans)]
    misses.extend(f"not a figure: '{item.surface}' read as {item.value} {item.unit}" for item in false)
    return Score(
        gold=len(wanted), extracted=len(quantities), found=found, right=right, false=len(false), misses=tuple(misses)
    )


def value_right(item: Quantity, row: Mapping[str, Any]) -> bool:
    """Whether an extracted figure has the annotated value and unit."""
    unit, basis = UNITS.get(str(row.get("unit")), (str(row.get("unit")), ""))
    if unit == "date" or item.type == "date":
        return unit == "date" and item.type == "date" and _same_days(item, row)
    if item.unit != unit or (basis and item.basis != basis):
        return False
    value = row.get("value")
    if not isinstance(value, int | float) or not isinstance(item.value, int | float):
        return value is None and item.value is None
    low, high = row.get("low"), row.get("high")
    if abs(item.value - value) <= 1e-6 * max(abs(value), 1e-12):
        return True
    return low is not None and high is not None and low <= item.value <= high


def _same_days(item: Quantity, row: Mapping[str, Any]) -> bool:
    if row.get("value") is None:
        return item.value is None
    if str(item.value) == str(row["value"]):
        return True
    gold = _days(row)
    if gold is None or item.low is None or item.high is None:
        return False
    low, high = date.fromisoformat(str(item.low)), date.fromisoformat(str(item.high))
    shared = (min(high, gold[1]) - max(low, gold[0])).days + 1
    return shared >= 0.5 * max((high - low).days + 1, (gold[1] - gold[0]).days + 1)


def _days(row: Mapping[str, Any]) -> tuple[date, date] | None:
    try:
        if row.get("low") and row.get("high"):
            return date.fromisoformat(str(row["low"])[:10]), date.fromisoformat(str(row["high"])[:10])
        value = str(row["value"])
        period = None
        if found := re.fullmatch(r"(\d{4})-Q([1-4])", value):
            period = cal.quarter_period(int(found[1]), int(found[2]))
        elif found := re.fullmatch(r"(\d{4})-H([12])", value):
            period = cal.half_period(int(found[1]), int(found[2]))
        elif found := re.fullmatch(r"(\d{4})-(\d\d)", value):
            period = cal.month_period(int(found[1]), int(found[2]))
        elif re.fullmatch(r"\d{4}", value):
            period = cal.year_period(int(value))
        elif found := re.fullmatch(r"(\d{4})-W(\d\d)", value):
            period = cal.week_period(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        return (period.low, period.high) if period else (date.fromisoformat(value[:10]), date.fromisoformat(value[:10]))
    except ValueError:
        return None


def same_entity(label: str, identity: str) -> bool:
    """Whether a ledger label (`chip:nvidia-h20`, `gov:us`) and an id of the fact base name one thing."""
    kind, _, slug = label.partition(":")
    slug = slug or kind
    if kind == "gov":
        names = {
            "us": ("united-states", "us-government", "white-house", "us-president", "us-china"),
            "cn": ("china", "china-government", "us-china"),
            "kr": ("south-korea", "korea-government"),
            "my": ("malaysia", "malaysia-government"),
            "th": ("thailand",),
        }
        return identity in names.get(slug, (slug,))
    return identity == slug or identity in SAME.get(label, ()) or _squeezed(identity).endswith(_squeezed(slug))


SAME: Mapping[str, tuple[str, ...]] = {
    "chip:nvidia-h100": ("nvidia-h100-sxm",),
    "chip:nvidia-h200": ("nvidia-h200-sxm",),
    "chip:nvidia-a100": ("nvidia-a100-sxm",),
    "chip:alibaba-t-head-ppu": ("t-head-zhenwu-810e",),
    "chip:cambricon-590": ("cambricon-mlu590",),
    "arch:blackwell": ("nvidia-blackwell",),
    "channel:smuggling": ("chip-smuggling-china",),
    "org:ft": ("financial-times",),
    "org:us-doc": ("us-commerce",),
    "org:kr-msit": ("korea-msit",),
    "org:kr-motie": ("korea-motie",),
    "org:kr-mofa": ("korea-mofa",),
    "org:kr-mnd": ("korea-mnd",),
    "event:waic-2025": ("waic",),
    "event:cisce-2025": ("cisce",),
    "event:thaad-2017": ("thaad-retaliation",),
    "system:nvl72": ("nvidia-gb200-nvl72",),
    "model:gemini-2.5": ("google-gemini",),
    "model:claude": ("anthropic-claude",),
    "policy:cn-global-ai-governance-action-plan": ("china-global-ai-governance-plan",),
    "policy:kr-sovereign-ai": ("korea-sovereign-ai",),
    "cn-ai-firms": ("china-ai-firms",),
    "tech:nand-layers": ("nand",),
}


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def score_entities(extraction: Extraction, ledger: Mapping[str, Any], seed: str) -> Score:
    """Recall and precision of the names in one document, each name counted once.

    Gold are the linkable subjects of the article's claims that the article writes out: a name of the fact base for
    it, or the label's own words, stands in the text, or a description of it was found. A linked name counts as false
    where no claim of the ledger, in any article, has it as a subject; a ledger lists subjects, not mentions, so the
    precision is a lower bound.
    """
    labels = {label for claim in ledger["claims"] if claim["seed"] == seed for label in claim.get("subject", ())}
    linkable = sorted(label for label in labels if label.partition(":")[0] in LINKED_KINDS)
    accepted = {one.id for one in extraction.entities if one.how in {"alias", "pattern"} and one.id}
    every = {label for claim in ledger["claims"] for label in claim.get("subject", ())}
    linked = {label for label in linkable if any(same_entity(label, identity) for identity in accepted)}
    gold = [label for label in linkable if label in linked or _written(label, extraction)]
    found = [label for label in gold if label in linked]
    false = sorted(identity for identity in accepted if not any(same_entity(label, identity) for label in every))
    misses = (
        *(f"name not linked: {label}" for label in gold if label not in found),
        *(f"name linked in error: {one}" for one in false),
    )
    return Score(
        entities_gold=len(gold),
        entities_found=len(found),
        entities_extracted=len(accepted),
        entities_false=len(false),
        misses=misses,
    )


def _written(label: str, extraction: Extraction) -> bool:
    """Whether any written form of the labelled entity stands in the text: names of the fact base, or the label's own
    words."""
    from chipweir.evidence._reading import lexicon

    text = extraction.document.text
    folded = re.sub(r"[\s-]", "", text.lower())
    forms = [form for form, name in lexicon().exact.items() if same_entity(label, name.id)]
    if any(form in text for form in forms):
        return True
    slug = label.partition(":")[2]
    return len(slug) > 4 and re.sub(r"[\s-]", "", slug.lower()) in folded


def evaluate(
    ledger: str | Path | Mapping[str, Any],
    articles: str | Path,
    frames: FrameScore | None = None,
    issues: IssueScore | None = None,
) -> dict[str, Any]:
    """Scores the room on every article of a ledger.

    `frames` gets an extraction and its claims and returns counts that are summed; `issues` gets all extractions by
    file name and the ledger's issues. Returns one plain document: `documents` by file name, `total`, and `frames`,
    `issues` where a hook is given. Raises `InputError` where the ledger or an article is missing.
    """
    loaded = ledger if isinstance(ledger, Mapping) else load_ledger(ledger)
    folder = Path(articles)
    if not folder.is_dir():
        raise InputError(f"'{articles}' is no folder of articles")
    extractions: dict[str, Extraction] = {}
    scores: dict[str, Score] = {}
    counted: dict[str, int] = {}
    for seed in dict.fromkeys(claim["seed"] for claim in loaded["claims"]):
        extraction = extract(_article(folder, seed, loaded))
        extractions[seed] = extraction
        wanted, _ = gold_quantities(loaded, seed)
        scores[seed] = score_quantities(extraction.quantities, wanted) + score_entities(extraction, loaded, seed)
        if frames is not None:
            claims = [claim for claim in loaded["claims"] if claim["seed"] == seed]
            for key, number in frames(extraction, claims).items():
                counted[key] = counted.get(key, 0) + number
    total = sum(scores.values(), Score())
    result: dict[str, Any] = {
        "documents": {seed: score.as_json() for seed, score in scores.items()},
        "total": total.as_json(),
    }
    if frames is not None:
        result["frames"] = counted
    if issues is not None:
        result["issues"] = dict(issues(extractions, loaded.get("issues", ())))
    return result


def _article(folder: Path, seed: str, ledger: Mapping[str, Any]) -> Document:
    name = Path(seed).name
    dates = ledger.get("published") or {}
    return read(folder / name, published=dates.get(seed) if isinstance(dates, Mapping) else None)
