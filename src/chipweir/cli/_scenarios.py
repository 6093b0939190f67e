"""Commands on scenario files and levers."""

from typing import Annotated, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import JsonOption, LangOption, complete_lever, complete_scenario, print_json
from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language


scenarios_app = typer.Typer(help="Scenario files: list, show, validate, schema.", no_args_is_help=True)


@scenarios_app.command("list")
def scenarios_list(as_json: JsonOption = False) -> None:
    """The shipped scenarios."""
    from chipweir.world import load_scenario, preset_names

    found = [load_scenario(name) for name in preset_names()]
    if as_json:
        print_json([{key: getattr(each, key) for key in ("name", "title", "description")} for each in found])
    else:
        from chipweir.report import label

        korean = language() == "ko"
        _tables.show(("", ""), [(each.name, label("scenario", each.name) if korean else each.title) for each in found])


ScenarioArgument = Annotated[
    str, typer.Argument(help="A shipped scenario or a file.", autocompletion=complete_scenario)
]


@scenarios_app.command("show")
def scenarios_show(name: ScenarioArgument, as_json: JsonOption = False) -> None:
    """A scenario with everything it extends, as a file that stands alone."""
    from chipweir.world import load_scenario

    scenario = load_scenario(name)
    if as_json:
        print_json(scenario.model_dump())
    else:
        typer.echo(scenario.to_yaml(), nl=False)


@scenarios_app.command("validate")
def scenarios_validate(
    names: Annotated[list[str], typer.Argument(help="Files to check.", metavar="FILE...")], as_json: JsonOption = False
) -> None:
    """Check scenario files: exit 0 if all can be run, 2 with a line for each that cannot."""
    from chipweir.world import load_scenario

    verdicts: list[dict[str, Any]] = []
    for name in names:
        try:
            scenario = load_scenario(name)
            verdicts.append({"file": name, "valid": True, "name": scenario.name, "warnings": scenario.warnings()})
        except InputError as error:
            verdicts.append({"file": name, "valid": False, "error": str(error)})
    if as_json:
        print_json(verdicts)
    for verdict in verdicts:
        if not verdict["valid"]:
            typer.echo(f"chipweir: {verdict['error']}", err=True)
        elif not as_json:
            typer.echo(f"{verdict['file']}: {verdict['name']} is valid")
            for line in verdict["warnings"]:
                typer.echo(f"  warning: {line}")
    if not all(verdict["valid"] for verdict in verdicts):
        raise typer.Exit(2)


@scenarios_app.command("schema")
def scenarios_schema() -> None:
    """The JSON Schema of scenario files, for editors."""
    from chipweir.world import scenario_schema

    print_json(scenario_schema())


def levers_command(
    name: Annotated[str | None, typer.Argument(help="One lever in full.", autocompletion=complete_lever)] = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """What a scenario may change."""
    from dataclasses import asdict

    from chipweir.world import find_lever, levers

    with use_language(lang):
        chosen = levers().values() if name is None else [find_lever(name)[0]]
        if as_json:
            documents = [asdict(lever) for lever in chosen]
            print_json(documents if name is None else documents[0])
            return
        korean = lang == "ko"
        rows = [
            (
                lever.name,
                lever.range,
                lever.default if isinstance(lever.default, str) else f"{lever.default:g}",
                lever.unit,
                (lever.korean_description if korean else lever.description)
                if name
                else (lever.korean_name if korean else lever.title),
            )
            for lever in chosen
        ]
        columns = (_("lever"), _("range"), _("default"), _("unit"), _("what it does"))
        _tables.show(columns, rows)
