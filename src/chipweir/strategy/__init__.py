"""The strategy room: what follows from scenarios and options, and what to do. Names are imported when first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from chipweir.strategy._advise import Advice, advise
    from chipweir.strategy._advise import document as advice_document
    from chipweir.strategy._affordability import TrainingOrder, train
    from chipweir.strategy._cells import Cells, Members, Plan
    from chipweir.strategy._checks import Check, Outcome, checks, run_checks
    from chipweir.strategy._compare import Difference, differences, holds_pair
    from chipweir.strategy._experiments import Experiments, Order, describe, plan
    from chipweir.strategy._experiments import run as run_experiments
    from chipweir.strategy._explore import (
        Exploration,
        Question,
        explore,
    )
    from chipweir.strategy._explore import (
        cost as exploration_cost,
    )
    from chipweir.strategy._explore import (
        document as exploration_document,
    )
    from chipweir.strategy._options import (
        Choice,
        Criteria,
        Criterion,
        Option,
        empty_options,
        load_options,
        planned_levers,
        read_choices,
        read_criteria,
        read_option,
        shipped_choices,
        shipped_criteria,
        shipped_options,
    )
    from chipweir.strategy._play import cells as game_cells
    from chipweir.strategy._play import document as game_document
    from chipweir.strategy._play import play
    from chipweir.strategy._play import table as game_table
    from chipweir.strategy._sentences import box_texts, limits_in_short, number, percent, unknown_settings
    from chipweir.strategy._sentences import sentences as advice_sentences
    from chipweir.strategy._swings import Number, swings
    from chipweir.strategy._trace import Trace, explain
    from chipweir.strategy._worth_knowing import information

_HOMES = {
    "Advice": "_advise",
    "Cells": "_cells",
    "Check": "_checks",
    "Choice": "_options",
    "Criteria": "_options",
    "Criterion": "_options",
    "Difference": "_compare",
    "Experiments": "_experiments",
    "Exploration": "_explore",
    "Members": "_cells",
    "Number": "_swings",
    "Option": "_options",
    "Order": "_experiments",
    "Outcome": "_checks",
    "Plan": "_cells",
    "Question": "_explore",
    "Trace": "_trace",
    "TrainingOrder": "_affordability",
    "advice_document": "_advise:document",
    "advice_sentences": "_sentences:sentences",
    "advise": "_advise",
    "box_texts": "_sentences",
    "checks": "_checks",
    "describe": "_experiments",
    "differences": "_compare",
    "empty_options": "_options",
    "explain": "_trace",
    "exploration_cost": "_explore:cost",
    "exploration_document": "_explore:document",
    "explore": "_explore",
    "game_cells": "_play:cells",
    "game_document": "_play:document",
    "game_table": "_play:table",
    "holds_pair": "_compare",
    "information": "_worth_knowing",
    "limits_in_short": "_sentences",
    "load_options": "_options",
    "number": "_sentences",
    "percent": "_sentences",
    "plan": "_experiments",
    "planned_levers": "_options",
    "play": "_play",
    "read_choices": "_options",
    "read_criteria": "_options",
    "read_option": "_options",
    "run_checks": "_checks",
    "run_experiments": "_experiments:run",
    "shipped_choices": "_options",
    "shipped_criteria": "_options",
    "shipped_options": "_options",
    "swings": "_swings",
    "train": "_affordability",
    "unknown_settings": "_sentences",
}
"""Where each name lives: a module, or `module:name` where it is called otherwise there."""

__all__ = [
    "Advice",
    "Cells",
    "Check",
    "Choice",
    "Criteria",
    "Criterion",
    "Difference",
    "Experiments",
    "Exploration",
    "Members",
    "Number",
    "Option",
    "Order",
    "Outcome",
    "Plan",
    "Question",
    "Trace",
    "TrainingOrder",
    "advice_document",
    "advice_sentences",
    "advise",
    "box_texts",
    "checks",
    "describe",
    "differences",
    "empty_options",
    "explain",
    "exploration_cost",
    "exploration_document",
    "explore",
    "game_cells",
    "game_document",
    "game_table",
    "holds_pair",
    "information",
    "limits_in_short",
    "load_options",
    "number",
    "percent",
    "plan",
    "planned_levers",
    "play",
    "read_choices",
    "read_criteria",
    "read_option",
    "run_checks",
    "run_experiments",
    "shipped_choices",
    "shipped_criteria",
    "shipped_options",
    "swings",
    "train",
    "unknown_settings",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _colon, called = _HOMES[name].partition(":")
    return getattr(import_module(f"{__name__}.{module}"), called or name)
