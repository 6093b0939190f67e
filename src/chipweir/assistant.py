"""The model for assistants: a server of the Model Context Protocol whose tools ask what the library asks.

Every tool answers with a sentence, the numbers, their sources and their limits. Tools read no file and no address that an
assistant names; own facts are laid over the shipped ones when the server is started.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

import chipweir
from chipweir import facts as room
from chipweir import library
from chipweir.errors import InputError


if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

INSTRUCTIONS = (
    "Chipweir models the contest over AI chips: export rules, chips, supply, compute, Korea. Quote numbers with their "
    "intervals, name the sources and the limits that come with every answer, and say so where the answer is unknown. "
    "Rules are no legal advice; scenarios are questions, not forecasts."
)
MOST_ROWS = 60
"""Facts, differences or claims that one answer holds; how many were left out is said."""
_LONG_LISTS = ("facts", "prices", "events", "claims", "differences", "trace", "quantities", "times", "entities")

Lang = Annotated[Literal["en", "ko"], Field(description="Language of the answer's texts.")]
Day = Annotated[str, Field(description="A date such as 2025-05-01; today if empty.")]
Chip = Annotated[str, Field(description="A chip or system under any of its names: H20, Ascend 910C, GB200 NVL72.")]
Scenario = Annotated[str, Field(description="A shipped scenario: baseline, blockade, weir, open, sea-licence, ...")]


def facts(
    name: Annotated[str, Field(description="A chip, system, model, firm, country, measure or fact under any name.")],
    measure: Annotated[
        str, Field(description="Only this measure: an id, a title or a word such as yield or 수율.")
    ] = "",
    since: Day = "",
    until: Day = "",
    as_of: Annotated[str, Field(description="Only what was known by this day.")] = "",
    lang: Lang = "en",
) -> library.Answer:
    """What is on record about one thing: every number with source, class, confidence, and where sources disagree."""
    return library.show(
        name, measure=measure or None, since=since or None, until=until or None, as_of=as_of or None, lang=lang
    )


def licence(
    item: Chip,
    to: Annotated[str, Field(description="Destination: an ISO code or a country's name.")],
    on: Day = "",
    end_user: Annotated[str, Field(description="The end user's name or type, where known.")] = "",
    via: Annotated[str, Field(description="Countries passed through, separated by ;")] = "",
    hq: Annotated[str, Field(description="Where the recipient is headquartered.")] = "",
    regime: Annotated[Literal["US", "CN", "MY", "KR"], Field(description="Whose law is asked.")] = "US",
    lang: Lang = "en",
) -> library.Answer:
    """May a chip be shipped there on that day: licence requirement, review policy and practice, exception, authority, and
    what would change the answer. Unknown is an answer. Not legal advice."""
    stated = {"end_user": end_user, "via": via, "hq": hq, "regime": regime}
    given: dict[str, Any] = {name: text for name, text in stated.items() if text}
    return library.licence(item, to, on=on or None, lang=lang, **given)


def classify(
    item: Annotated[str, Field(description="A chip's name; leave empty to classify numbers.")] = "",
    tpp: Annotated[float | None, Field(description="Total processing performance: dense TOP/s times bits.")] = None,
    die_mm2: Annotated[float | None, Field(description="Die area in mm².")] = None,
    on: Day = "",
    lang: Lang = "en",
) -> library.Answer:
    """The export control classification of a chip, or of numbers, with every test and the line nearest to it."""
    numbers = {name: value for name, value in (("tpp", tpp), ("die_mm2", die_mm2)) if value is not None}
    if not item and not numbers:
        raise InputError("name a chip, or give tpp and die_mm2")
    return library.classify(
        {"chip": item, **numbers} if item and numbers else item or numbers, on=on or None, lang=lang
    )


def estimate(
    model: Annotated[str, Field(description="A language model, such as DeepSeek-V3.1.")],
    on: Chip,
    chips: Annotated[int | None, Field(description="Number of chips; chosen if not given.", ge=1)] = None,
    isl: Annotated[float, Field(description="Prompt tokens per request.", gt=0)] = 2048,
    osl: Annotated[float, Field(description="Output tokens per request.", gt=0)] = 512,
    target_tpot_ms: Annotated[float, Field(description="Most milliseconds per output token.", gt=0)] = 50,
    country: Annotated[str, Field(description="Country whose power price is paid.")] = "US",
    lang: Lang = "en",
) -> library.Answer:
    """Speed, latency, power, energy and cost of serving a model on a chip or system, each with its 80 % interval."""
    return library.estimate(
        model, on, chips=chips, isl=isl, osl=osl, target_tpot_ms=target_tpot_ms, country=country, lang=lang
    )


def match(
    a: Chip,
    b: Chip,
    model: Annotated[str, Field(description="The language model both serve and train.")] = "DeepSeek-V3.1",
    lang: Lang = "en",
) -> library.Answer:
    """How many of A do the job of one B: by datasheet, training, prefill, decode at equal latency, power and capital."""
    return library.match(a, b, model, lang=lang)


def compare(
    a: Scenario,
    b: Scenario,
    members: Annotated[int, Field(description="Draws of all uncertain parameters.", ge=1, le=2000)] = 200,
    seed: Annotated[int, Field(description="Equal seeds give equal draws.", ge=0)] = 1,
    lang: Lang = "en",
) -> library.Answer:
    """Simulate two scenarios with the same draws: paired differences B minus A with 80 % intervals and the probability
    that B is higher. The first call takes a minute or more."""
    return library.compare(a, b, members=members, seed=seed, lang=lang)


def advise(
    actor: Annotated[Literal["korea", "us", "china"], Field(description="Whose options are weighed.")] = "korea",
    futures: Annotated[int, Field(description="Draws; each meets every choice of others.", ge=10, le=2000)] = 100,
    seed: Annotated[int, Field(ge=0)] = 1,
    lang: Lang = "en",
) -> library.Answer:
    """How an actor's options fare over many futures: regret, where each fails, what to watch. Not a recommendation.
    Simulates what is not stored yet: the first call may take many minutes."""
    return library.advise(actor, futures=futures, seed=seed, lang=lang)


def check(
    text: Annotated[str, Field(description="The text itself, in Korean, English or Chinese; not a path or address.")],
    published: Annotated[str, Field(description="The text's date, YYYY-MM-DD, which relative dates need.")] = "",
    lang: Lang = "en",
) -> library.Answer:
    """The claims of a text, each with a verdict, the evidence with its sources, and what would change the verdict."""
    return library.check(text, published=published or None, lang=lang)


TOOLS: Sequence[Callable[..., library.Answer]] = (facts, licence, classify, estimate, match, compare, advise, check)


def server(directories: Sequence[Path] = ()) -> "MCPServer":
    """The server, with own facts in force in every tool. Raises `InputError` where the extra is not installed."""
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.types import ToolAnnotations
    except ModuleNotFoundError as error:
        raise InputError(f"assistants need the 'mcp' extra: pip install 'chipweir[mcp]' ({error})") from None
    known = room.load(directories) if directories else None
    made = MCPServer("chipweir", version=chipweir.__version__, instructions=INSTRUCTIONS, log_level="WARNING")
    only_reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    for tool in TOOLS:
        made.add_tool(_answering(tool, known), annotations=only_reads)
    return made


def _answering(tool: Callable[..., library.Answer], known: "room.Facts | None") -> Callable[..., dict[str, Any]]:
    """A tool that answers with plain data, and with one line where the question was wrong."""

    @wraps(tool)
    def answered(**given: Any) -> dict[str, Any]:
        from mcp.server.mcpserver.exceptions import ToolError

        with nullcontext() if known is None else room.in_force(known):
            try:
                return shortened(tool(**given).to_dict())
            except InputError as error:
                raise ToolError(str(error)) from None

    answered.__annotations__ = {**tool.__annotations__, "return": dict[str, Any]}
    answered.__signature__ = signature(tool).replace(return_annotation=dict[str, Any])  # type: ignore[attr-defined]
    return answered


def shortened(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its long lists cut to `MOST_ROWS`, and `left_out` saying how much of each is not there."""
    found, left = dict(document), {}
    for name in _LONG_LISTS:
        rows = found.get(name)
        if isinstance(rows, list) and len(rows) > MOST_ROWS:
            found[name], left[name] = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    return {**found, "left_out": left} if left else found
