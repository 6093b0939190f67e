"""Which records a figure may be held against: those whose keys the words around it tell.

A match says how well the keys fit: `missing` are parts of the record's key that the text does not say, `extra` things
that the text says and the record does not hold, `fit` how its period lies to that of the text. Only an exact match can
contradict; the rest can only agree. `tacit` marks records of a special convention that the text does not say.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chipweir.evidence._compare import factor, half_digit
from chipweir.evidence._keys import ELSEWHEN, PRODUCTS, Base, Keys, Match, over
from chipweir.evidence._known import read_unit, records
from chipweir.evidence._scene import AFTER, BEFORE, EARLIER, OWN, Scene, Seen
from chipweir.evidence._vocabulary import (
    families,
    told_by_place,
    vocabulary,
)


# Hints only help to confirm: they name nothing strongly enough to deny.
_STRENGTH = {"measure": 3.0, "spec": 3.0, "verb": 2.0, "generic": 1.0, "hint": 0.8}
_FARTHER = {OWN: 0.0, BEFORE: 1.1, AFTER: 1.2, EARLIER: 1.5}
_IMPLIED, _MARK, _PLACE, _KIN, _SHARE = 1.5, 1.5, 2.0, 0.5, 2.5
# How wide a figure may be to be told by its number alone, and how wide all of the like together.
_NARROW, _BY_CHANCE = 0.02, 0.04
# The least that any word tells, and the most where the noun beside the figure is of a measure not on record.
_LEAST, _UNHELD = 0.1, 0.8
# Words fainter than this tell nothing of kindred measures.
_FAINT = 0.85
# How many scenes are remembered.
_REMEMBERED = 4096
# Words that tell two measures about as strongly.
AS_STRONG = 0.5


@dataclass(frozen=True)
class Matcher(Base):
    """Finds records of one fact base for the figures of one article."""

    _matches: dict[Hashable, list[Match]] = field(default_factory=dict, repr=False, compare=False)
    _rare: dict[Hashable, list[Match]] = field(default_factory=dict, repr=False, compare=False)

    def matches(self, scene: Scene) -> list[Match]:
        """The records that a figure may be held against, best first; none where nothing tells what it measures."""
        return _kept(self._matches, scene.signature, lambda: self._matched(scene))

    def _matched(self, scene: Scene) -> list[Match]:
        strengths = self.measures(scene)
        if not strengths:
            return []
        found = self._found(scene, strengths)
        if not found:  # the noun's measure is not on record of the subject: what verbs tell may still agree
            loose = {name: min(strength, _UNHELD) for name, strength in self.measures(scene, strict=False).items()}
            found = self._found(scene, loose) if len(loose) > len(strengths) else []
        return found

    def _found(self, scene: Scene, strengths: Mapping[str, float]) -> list[Match]:
        keys = Keys(self, scene)
        found: list[Match] = []
        elsewhen: list[Match] = []  # only shown where nothing else is found
        settled = 0.0
        for measure, strength in sorted(strengths.items(), key=lambda one: -one[1]):
            if strength < settled - AS_STRONG:  # a measure named more strongly has its very record
                break
            for record in records(self.known).about(measure, keys.reach):
                if factor(scene.figure, record) is None:
                    continue
                if keys.periods.is_elsewhen(record):
                    elsewhen.append(Match(record, strength, ELSEWHEN, 0, "off", False))
                elif (match := keys.match(record, strength)) is not None:
                    (elsewhen if match.fit == "off" else found).append(match)
                    if match.exact and match.fit == "exact":
                        settled = max(settled, strength)
        return sorted(found or elsewhen, key=lambda one: one.rank)

    def by_number(self, scene: Scene, said: tuple[float, float]) -> list[Match]:
        """Records of a subject named here that hold the very number, where it is so rare among the subject's of that
        unit and time that it can hardly agree by chance: what no noun of ours names is told by its number."""
        if any(word.kind == "other" and word.level == OWN for word in scene.words) or not said[0] * said[1] > 0:
            return []
        value = scene.figure.value
        if scene.figure.bound in {"ge", "le"} and isinstance(value, int | float):  # "at most" is said of the most
            slack = abs(value) * half_digit(scene.figure.surface, float(value))
            said = (value - slack, value + slack)
        width = (said[1] - said[0]) / (abs(said[0] + said[1]) / 2)
        if width > _NARROW:
            return []
        if not self._holds(scene, said):
            return []
        like = _kept(self._rare, scene.signature, lambda: list(self._of_the_subject(scene)))
        if len({round(one.record.best, 12) for one in like}) * width > _BY_CHANCE:
            return []
        scales = ((one, factor(scene.figure, one.record) or 0.0) for one in like)
        return [
            one for one, scale in scales if said[0] * scale <= one.record.best <= said[1] * scale and not one.record.own
        ]

    def _holds(self, scene: Scene, said: tuple[float, float]) -> bool:
        """Whether any record of what is named here has the number at all."""
        table = records(self.known).of_subject
        named = {i for one in (*scene.things, *scene.of_kind("thing")) if one.level < EARLIER for i in one.ids}
        named |= {name for name, parts in vocabulary()["composed"].items() if named.issuperset(parts)}
        named |= {kin for one in list(named) for kin in self.index.kin(one)}
        return any(
            said[0] * scale <= record.best <= said[1] * scale
            for subject in named & table.keys()
            for record in table[subject]
            if (scale := factor(scene.figure, record)) is not None
        )

    def _of_the_subject(self, scene: Scene) -> Iterator[Match]:
        """All records of the things named here, of the figure's unit and time, that nothing said speaks against."""
        keys = Keys(self, scene)
        named = {one.ids[0] for one in scene.things if one.level < EARLIER}
        table = records(self.known).of_subject
        found = []
        for subject in sorted(keys.reach & table.keys()):
            for record in table[subject]:
                scale = factor(scene.figure, record)
                if (
                    scale is None
                    or (record.is_money and record.unit != scene.figure.unit)
                    or keys.periods.is_elsewhen(record)
                ):
                    continue
                if subject not in named and record.item not in named:
                    continue
                match = keys.match(record, _IMPLIED)
                if match is None or not match.sure or match.missing or match.extra or match.fit in {"off", "near"}:
                    continue
                found.append(match)
        yield from sorted(found, key=lambda one: one.rank)

    def measures(self, scene: Scene, strict: bool = True) -> dict[str, float]:
        """The measures that the words about a figure may name, with how strongly they do; `strict`: where its own noun
        names some, none but those and their kin."""
        found: dict[str, float] = {}
        own: set[str] = set()
        products = {one.kind for one in scene.things} & PRODUCTS
        for word in scene.words:
            if word.kind == "other" and word.level == OWN and _nearest_noun(scene, word):
                return {}
            if word.kind not in _STRENGTH or _hidden(scene, word):
                continue
            if word.kind == "spec" and not _has_field(word, products):
                continue
            noun = word.kind in {"measure", "spec"} or _hides(scene, word)
            for name in self._named(word):
                if not self._measurable(scene, name):
                    continue
                strength = max(_LEAST, _STRENGTH["measure" if noun else word.kind] - _FARTHER[word.level])
                found[name] = max(found.get(name, 0.0), strength)
                if word.level == OWN and noun:
                    own.add(name)
        if scene.figure.unit == "fraction":
            for name, strength in self._parts_of(scene).items():
                found[name] = max(found.get(name, 0.0), strength)
                own.add(name)
        for name in self._with_parts(scene):
            found[name] = max(found.get(name, 0.0), _STRENGTH["hint"])
        for name in self.families(name for name, strength in found.items() if strength > _FAINT):
            if name not in found and self._measurable(scene, name):
                found[name] = _KIN
        implied = self._implied(scene)
        for name in implied:
            found[name] = max(found.get(name, 0.0), _IMPLIED)
        if own and strict:
            kin = self.families(own)
            found = {name: s for name, s in found.items() if name in own or name in kin or name in implied}
        for word in scene.of_kind("mark"):
            if word.level <= BEFORE and scene.beside(word):
                for name in word.ids:
                    if name in found:
                        found[name] += _MARK
        named = {name for one in scene.things if one.level <= BEFORE for name in one.ids}
        if "product_revenue" in found and self._of_a_product(scene):
            found["product_revenue"] += _PLACE
        for name, place in told_by_place().items():
            if name in found and place in named:
                found[name] += _PLACE
        return found

    def _of_a_product(self, scene: Scene) -> bool:
        """Whether a product, or goods that revenue is on record of, stand beside the figure."""
        if any(one.kind in PRODUCTS and one.level == OWN for one in scene.things):
            return True
        goods = {i for word in scene.of_kind("thing") if word.level == OWN for i in word.ids}
        named = {i for one in scene.things if one.level <= BEFORE for i in one.ids}
        table = records(self.known).by_subject.get("product_revenue", {})
        return any(row.item in goods for name in named & table.keys() for row in table[name])

    def _with_parts(self, scene: Scene) -> Iterator[str]:
        """The measures on record of a part that is said beside the figure: "the networking arm made"."""
        for word in scene.of_kind("dim"):
            for part in word.ids if word.level == OWN else ():
                if part.startswith("part="):
                    yield from (
                        name for name in records(self.known).of_parts.get(part, ()) if self._measurable(scene, name)
                    )

    @staticmethod
    def families(measures: Iterable[str]) -> set[str]:
        """The measures that share a family with any of `measures`."""
        told = set(measures)
        return {name for family in families().values() if family & told for name in family}

    def _named(self, word: Seen) -> Iterator[str]:
        for identifier in word.ids:
            if word.kind == "generic":
                yield from families()[identifier]
            elif word.kind == "spec":
                yield from (f"spec:{identifier}", *_FACTS_OF.get(identifier, ()))
            else:
                yield identifier
                if identifier in _FIELDS_OF:
                    yield f"spec:{_FIELDS_OF[identifier]}"

    def _parts_of(self, scene: Scene) -> dict[str, float]:
        """The shares that the noun of a level tells: "49 % of system sales came from China"."""
        found: dict[str, float] = {}
        for word in scene.words:
            if word.level > BEFORE or word.kind not in {"measure", "generic", "verb"} or _hidden(scene, word):
                continue
            for name in word.ids:
                for share in vocabulary()["shares"].get(name, ()):
                    if self._measurable(scene, share):
                        strength = _SHARE - _FARTHER[word.level] - (0.0 if word.kind == "measure" else 0.2)
                        found[share] = max(found.get(share, 0.0), strength)
        return found

    def _measurable(self, scene: Scene, measure: str) -> bool:
        key = (measure, scene.figure.unit, scene.figure.type, scene.figure.basis)
        fitting = self.remembered.fitting
        if key not in fitting:
            fitting[key] = self._fits_unit(scene, measure)
        return fitting[key]

    def _fits_unit(self, scene: Scene, measure: str) -> bool:
        rows = records(self.known).by_measure.get(measure, ())
        if rows:
            return factor(scene.figure, rows[0]) is not None or any(
                factor(scene.figure, row) is not None for row in rows[:200]
            )
        defined = self.measured.get(measure)
        unit = read_unit(defined.unit) if defined is not None else None
        return unit is not None and (
            unit[0] == scene.figure.unit or (unit[0] == "USD") == (scene.figure.type == "money")
        )

    def _implied(self, scene: Scene) -> tuple[str, ...]:
        return tuple(name for row in vocabulary()["implied"] if _implies(row, scene) for name in row["measures"])


def _kept(table: dict[Hashable, list[Match]], key: Hashable, work: Callable[[], list[Match]]) -> list[Match]:
    """What was worked out for like words before, or now; a long text does not fill the memory."""
    if key not in table:
        if len(table) >= _REMEMBERED:
            table.clear()
        table[key] = work()
    return table[key]


_FIELDS_OF = {"memory_capacity": "memory_gb", "die_area": "die_mm2", "hbm_stacks": "hbm_stacks",
              "dies_per_package": "dies_per_package", "parameters": "total_params_b"}  # fmt: skip
_FACTS_OF = {
    "memory_gb": ("memory_capacity",),
    "die_mm2": ("die_area",),
    "hbm_stacks": ("hbm_stacks",),
    "total_params_b": ("parameters",),
    "active_params_b": ("parameters",),
    "context": ("context_length",),
    "price_usd": ("chip_price",),
}


def _implies(row: Mapping[str, Any], scene: Scene) -> bool:
    figure = scene.figure
    size = abs(figure.value) if isinstance(figure.value, int | float) else 0.0
    return (
        row.get("type", figure.type) == figure.type
        and row.get("unit", figure.unit) == figure.unit
        and row.get("basis", "") in figure.basis
        and row.get("min", 0.0) <= size <= row.get("max", float("inf"))
    )


def _has_field(word: Seen, products: frozenset[str] | set[str]) -> bool:
    """Whether a product of those named has the field: the number of chips is a system's."""
    return bool(products) and ("n_chips" not in word.ids or "system" in products)


def _hidden(scene: Scene, word: Seen) -> bool:
    """Whether a word is but a piece of a longer one that tells another measure, or none ("export ban")."""
    return any(over(other, word) for other in scene.hiding)


def _hides(scene: Scene, word: Seen) -> bool:
    """Whether a verb's words hold a noun of another measure: then they are the noun."""
    return word.kind == "verb" and any(over(word, other) for other in scene.words if other.kind == "measure")


def _nearest_noun(scene: Scene, word: Seen) -> bool:
    """Whether a noun that the facts hold nothing on stands nearer to the figure than any they do."""
    rival = [one.gap for one in scene.words if one.kind in {"measure", "spec"} and one.level == OWN]
    return word.gap <= min(rival, default=float("inf"))
