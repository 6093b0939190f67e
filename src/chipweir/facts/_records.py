"""What a record is: frozen, validated, and every number with its unit, date, source, class and confidence."""

import datetime
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from chipweir.facts._period import Period


SourceClass = Literal["official", "company", "analyst", "press", "derived", "own"]
Confidence = Literal["A", "B", "C", "D"]
Nature = Literal["observation", "forecast", "plan", "target", "guidance", "claim", "prior"]
MeasureKind = Literal["level", "flow", "ratio", "share", "count", "price", "growth", "date", "spec", "state", "text"]
Support = Literal["yes", "emulated", "no", "unknown"]

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
PartialDate = Annotated[
    str, StringConstraints(pattern=r"^(\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-?[HQ][1-4])?)?$")
]
KoreanText = Annotated[str, StringConstraints(pattern=r"^$|[가-힣]")]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _split(text: Any) -> Any:
    if isinstance(text, str):
        return tuple(part for part in (piece.strip() for piece in text.split("|")) if part)
    return text


def _pairs(text: Any) -> Any:
    """`of=exports;base=year` as a mapping. Raises `ValueError` for a part that is no pair."""
    if not isinstance(text, str):
        return text
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value) or name in found:
            raise ValueError(f"'{part}' is no pair; write name=value pairs with ; between them, each name once")
        found[name] = value
    return found


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Pairs = Annotated[Mapping[str, str], BeforeValidator(_pairs)]


class Record(BaseModel):
    """Something with an identity that came from a line of a file (`origin`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = Field(default="", description="file and line the record came from")


class Value(BaseModel):
    """A number or a range with all that is needed to believe it or not.

    `low`, `central`, `high` are in `unit`, which pint parses with `facts.unit_registry()`; `reported` is the number
    as the source wrote it. A single number stands in `central`; `low` alone is "at least", `high` alone "at most".
    `known_by` is the last day that `published` may mean, or the day by which the number was there to be known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Number | None = None
    central: Number | None = None
    high: Number | None = None
    unit: str = ""
    as_of: str = ""
    published: str = ""
    known_by: date = date.max
    source: str = ""
    url: str = ""
    cls: SourceClass = "own"
    confidence: Confidence = "C"
    note: str = ""
    reported: str = ""
    preferred: bool = False
    origin: str = ""

    @property
    def best(self) -> float:
        """The central value, else the middle of the range, else the one bound known; NaN if there is no number."""
        if self.central is not None:
            return self.central
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        return sum(bounds) / len(bounds) if bounds else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest number stated, both `best` where only one number is."""
        low = self.low if self.low is not None else self.best
        return low, self.high if self.high is not None else self.best

    @property
    def ordered(self) -> bool:
        """Whether low <= central <= high holds among the numbers that are stated."""
        stated = [number for number in (self.low, self.central, self.high) if number is not None]
        return bool(stated) and stated == sorted(stated)

    @property
    def rumour(self) -> bool:
        """Press with weak confidence: never to be shown without that label."""
        return self.cls == "press" and self.confidence in ("C", "D")


class Source(Record):
    """Where numbers come from; every `Value.source` is the id of one."""

    id: Identifier
    title: str
    publisher: str = ""
    url: str = ""
    published: str = ""
    cls: SourceClass

    @property
    def recalled(self) -> bool:
        """Whether the number was recalled, not looked up, whoever published it."""
        return self.cls == "own" or "own knowledge" in self.title.casefold()


class Valued(Record):
    """A record whose quantities are values; the ones not preferred stay in `values`."""

    id: Identifier
    known_by: date = Field(default=date.max, description="the day by which the product was known")
    values: dict[str, tuple[Value, ...]] = Field(default_factory=dict, repr=False)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.id, self.origin))

    def alternatives(self, quantity: str) -> tuple[Value, ...]:
        """Every sourced value of `quantity`, the preferred one first."""
        return self.values.get(quantity, ())

    @property
    def contested(self) -> tuple[str, ...]:
        """Quantities on which the sources give different numbers."""
        return tuple(name for name, values in self.values.items() if len({value.best for value in values}) > 1)


class Chip(Valued):
    """An accelerator: one package as sold.

    Peaks are dense, in 10^12 operations a second; `scaleup_gbs` is one direction, `io_gbs` both with PCIe.
    """

    name: str
    maker: Identifier
    maker_country: str
    architecture: str = ""
    release: PartialDate = ""
    status: Literal["announced", "roadmap", "sampling", "shipped", "cloud-only", "ended", "not-shipped", "unclear"]
    status_note: str = ""
    node: str = ""
    foundry: str = ""
    memory_type: str = ""
    scaleup: str = ""
    software: str = ""
    ecosystem: str = "other"
    cuda_compatibility: Literal["native", "source-compatible", "source-port", "partial", "none", "unknown"] = "unknown"
    fp8: Support = "unknown"
    ue8m0: Support = "unknown"
    data_centre: bool = True
    aliases: Names = ()
    note: str = ""

    fp32_tflops: Value | None = None
    tf32_tflops: Value | None = None
    bf16_tflops: Value | None = None
    fp8_tflops: Value | None = None
    fp4_tflops: Value | None = None
    int8_tops: Value | None = None
    memory_gb: Value | None = None
    memory_gbs: Value | None = None
    scaleup_gbs: Value | None = None
    scaleup_domain: Value | None = None
    scaleout_gbps: Value | None = None
    io_gbs: Value | None = None
    tpp: Value | None = None
    tdp_w: Value | None = None
    die_mm2: Value | None = None
    dies_per_package: Value | None = None
    hbm_stacks: Value | None = None
    price_usd: Value | None = None


class System(Valued):
    """A node, rack, pod or cluster of `n_chips` of one chip."""

    name: str
    maker: Identifier
    country: str
    chip: Identifier
    n_chips: int = Field(gt=0)
    release: PartialDate = ""
    status: Literal["announced", "roadmap", "sampling", "shipped", "cloud-only", "ended", "not-shipped", "unclear"]
    status_note: str = ""
    scaleup_fabric: str = ""
    cooling: str = ""
    aliases: Names = ()
    note: str = ""

    bf16_pflops: Value | None = None
    fp8_pflops: Value | None = None
    fp4_pflops: Value | None = None
    mem_tb: Value | None = None
    mem_tbs: Value | None = None
    scaleup_total_tbs: Value | None = None
    power_kw: Value | None = None
    price_usd: Value | None = None


class LanguageModel(Record):
    """Architecture numbers of a language model: parameters in 10^9, lengths in tokens; None where not published."""

    id: Identifier
    known_by: date = Field(default=date.max, description="the day by which the model was known")
    name: str
    maker: Identifier
    country: str
    release: PartialDate = ""
    type: Literal["dense", "MoE", "unknown"] = "unknown"
    total_params_b: Number | None = None
    active_params_b: Number | None = None
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    attention: str = ""
    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None
    qk_nope_dim: int | None = None
    qk_rope_dim: int | None = None
    v_head_dim: int | None = None
    ffn_dense: int | None = None
    first_dense_layers: int | None = None
    n_experts: int | None = None
    experts_active: int | None = None
    n_shared: int | None = None
    moe_ffn: int | None = None
    mtp_layers: int | None = None
    vocab: int | None = None
    context: int | None = None
    sliding_window: int | None = None
    tie_embeddings: bool | None = None
    native_dtype: str = ""
    open_weights: bool | None = None
    aliases: Names = ()
    source: str = ""
    cls: SourceClass = "own"
    confidence: Confidence = "C"
    note: str = ""


class EntityNames(BaseModel):
    """Names of an entity in English, Korean and Chinese; empty where we know none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    ko: str = ""
    zh: str = ""


class Entity(Record):
    """An organisation, person, place, fab, programme, law, product or standard that texts speak of."""

    id: Identifier
    kind: str
    names: EntityNames
    aliases: Names = ()
    parent: str = ""
    country: str = ""
    note: str = ""


class Country(Record):
    """A country or territory with its ISO 3166-1 codes; Hong Kong, Macau and Taiwan stand for themselves."""

    alpha2: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    alpha3: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    names: EntityNames
    region: str = ""
    aliases: Names = ()

    @property
    def id(self) -> str:
        """The alpha-2 code."""
        return self.alpha2


class Measure(Record):
    """What a fact measures: the field's vocabulary, one row a measure (`measures.csv`).

    `unit` is what facts of it convert to (currencies at their dated rates); `adds` how it adds up over time; `words` by
    language are what the press and ministries call it. A model's `variable` can be compared with the facts that meet
    `where` (`-` for a key that must be empty), at the coordinates in `selection`, in which `{country}` and the names of
    dims stand for those of the fact.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: MeasureKind
    unit: str = ""
    adds: Literal["sum", "mean", "last", ""] = ""
    entity_kinds: Names = ()
    item_kinds: Names = ()
    dims: Names = ()
    title: Mapping[Literal["en", "ko"], str]
    definition: Mapping[Literal["en", "ko"], str]
    words: Mapping[Literal["en", "ko", "zh"], Names]
    variable: str = ""
    selection: Pairs = Field(default_factory=dict)
    where: Pairs = Field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.id, self.origin))

    def titled(self, language: str) -> str:
        """The title in `language` ("en" or "ko")."""
        return self.title["ko" if language == "ko" else "en"]


class Fact(Record):
    """One sourced number under its keys: what is measured, of whom, of what, in which respect, when.

    `item_id` is the chip, model, node, maker or goods meant; `item` says in words what the keys do not. `start` and
    `end` are the first and last day of the period; `as_written` is its wording where that is no plain ISO period.
    `retrospective` marks what was estimated with hindsight, `same_as` the fact that holds the same number of the same
    release, so that it is counted once.
    """

    id: Identifier
    topic: str = ""
    entity: str
    entity_text: str = ""
    measure: str
    item: str = ""
    item_id: str = ""
    dims: Pairs = Field(default_factory=dict)
    start: date
    end: date
    as_written: str = ""
    nature: Nature = "observation"
    retrospective: bool = False
    same_as: str = ""
    value: Value

    def __hash__(self) -> int:
        return hash((self.id, self.origin))

    @property
    def span(self) -> Period:
        """The days from `start` to `end`."""
        return Period(self.start, self.end)

    @property
    def when(self) -> str:
        """The period as its source words it, else in its shortest ISO form."""
        return self.as_written or self.span.text

    @property
    def known_by(self) -> date:
        """The day by which the number was known."""
        return self.value.known_by

    @property
    def key(self) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
        """Entity, measure, item and dims: facts of one key differ in period, nature or source only."""
        return self.entity, self.measure, self.item_id or self.item, tuple(sorted(self.dims.items()))

    @property
    def rumour(self) -> bool:
        """Press with weak confidence: never to be shown without that label."""
        return self.value.rumour


class Event(Record):
    """Something that happened (or was announced) on a day."""

    id: Identifier
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
    type: str
    actors: Names = ()
    actor_ids: Names = ()
    region: str = ""
    description: str
    source: str = ""
    confidence: Confidence = "C"
    description_ko: KoreanText = ""

    @property
    def known_by(self) -> datetime.date:
        """The day of the event."""
        return datetime.date.fromisoformat(self.date)

    def described(self, language: str) -> str:
        """The description in `language` ("en" or "ko"); English where there is no Korean one."""
        return (self.description_ko if language == "ko" else "") or self.description


class Price(Record):
    """A dated price: API tokens, GPU rental, owning cost, or the power that belongs to one GPU.

    `listed` is the day a price list was read where the start of validity was not recorded.
    """

    id: Identifier
    kind: Literal["api", "gpu_rental", "tco", "power"]
    item: str
    item_id: str = ""
    provider: str
    provider_id: str = ""
    metric: str
    value: Value
    listed: PartialDate = ""
    valid_from: str = ""
    valid_to: str = ""
    region: str = ""


class Position(BaseModel):
    """One side of a disagreement: who says it, what, and the facts that carry it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str
    says: str
    facts: tuple[str, ...] = ()


class Conflict(Record):
    """A quantity on which sources disagree, why, and the rule by which one value is preferred (or none is)."""

    id: Identifier
    quantity: str
    about: tuple[str, ...] = ()
    values: tuple[Position, ...]
    likely_reason: str
    treatment: str
    preferred: str = ""
    rule: str = ""
    source: str = ""


class Override(BaseModel):
    """A shipped record replaced by a user's own; both are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: str
    id: str
    replaced: Any
    by: Any

    @cached_property
    def text(self) -> str:
        """One line that names both places."""
        return f"{self.kind} {self.id}: {self.by.origin} overrides {self.replaced.origin}"


CHIP_UNITS = {
    "fp32_tflops": "TFLOP/s", "tf32_tflops": "TFLOP/s", "bf16_tflops": "TFLOP/s", "fp8_tflops": "TFLOP/s",
    "fp4_tflops": "TFLOP/s", "int8_tops": "TOP/s", "memory_gb": "GB", "memory_gbs": "GB/s", "scaleup_gbs": "GB/s",
    "scaleup_domain": "chip", "scaleout_gbps": "Gbit/s", "io_gbs": "GB/s", "tpp": "bit*TOP/s", "tdp_w": "W",
    "die_mm2": "mm**2", "dies_per_package": "die", "hbm_stacks": "stack", "price_usd": "USD",
}  # fmt: skip
SYSTEM_UNITS = {
    "bf16_pflops": "PFLOP/s", "fp8_pflops": "PFLOP/s", "fp4_pflops": "PFLOP/s", "mem_tb": "TB", "mem_tbs": "TB/s",
    "scaleup_total_tbs": "TB/s", "power_kw": "kW", "price_usd": "USD",
}  # fmt: skip
