"""What a number rests on, as `explain --evidence` prints it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import print_json
from chipweir.i18n import _, language


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Scenario


def show_evidence(
    scenario: "Scenario",
    facts: "Facts",
    variable: str,
    selection: Mapping[str, str],
    month: str,
    top: int,
    as_json: bool,
) -> None:
    """Print the observations that narrowed a number and what would narrow it most; raises as `evidence` does."""
    from chipweir.calibration import evidence

    labels = " ".join(f"{dim}={label}" for dim, label in selection.items())
    found = evidence(scenario, facts, f"{variable}[{labels}]" if labels else variable, month, top).as_dict()
    if as_json:
        print_json(found)
        return
    intervals = [[_("prior"), *_texts(found["prior"])], [_("posterior"), *_texts(found["fitted"])]]
    _tables.show(["", "#5 %", "#50 %", "#95 %"], intervals, f"{found['quantity']}, {month}")
    for key, title in (
        ("narrowed_by", _("what narrowed it (share of the prior variance of its log)")),
        ("observe_better", _("what would narrow it if it were measured four times as well")),
        ("know_better", _("what would narrow it if it were known")),
    ):
        named = "title_ko" if language() == "ko" else "title"
        rows = [[each[named] or each["name"], f"{each['share']:.1%}", " ".join(each["facts"])] for each in found[key]]
        if rows:
            _tables.show([title, "#" + _("share"), _("facts")], rows)
        else:
            typer.echo(f"{title}: -")


def _texts(values: Any) -> list[str]:
    return [f"{value:.4g}" for value in values]
