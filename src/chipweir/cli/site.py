"""The commands that write the page without a server."""

from pathlib import Path
from typing import Annotated

import typer

from chipweir.cli._common import JsonOption, LangOption, MembersOption, SeedOption, print_json, progress_bar
from chipweir.i18n import _, use_language


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    room = typer.Typer(help="The page without a server: files that anyone can host.", no_args_is_help=True)
    room.callback()(lambda: None)
    room.command("build")(build)
    app.add_typer(room, name="site")


def build(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; new, empty, or an earlier site.")],
    members: MembersOption = 128,
    seed: SeedOption = 1,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Write a site in Korean and English that opens from the disk and needs no network."""
    from chipweir import site

    with use_language(lang), progress_bar() as progress:
        built = site.build(directory, members, seed, progress)
        size = built.size / 1e6
        if as_json:
            print_json(
                {
                    "path": str(built.path), "bytes": built.size, "simulated": built.cases, "members": built.members,
                    "errors": {
                        key: {"scale": found.scale.name, "typical": found.typical, "most": found.most,
                              "right_way": found.right_way}
                        for key, found in built.accuracy.items()
                    },
                }
            )  # fmt: skip
        else:
            typer.echo(
                _("{path}: {size} MB, {cases} scenarios of {members} members; open index.html",
                  path=built.path, size=f"{size:.1f}", cases=built.cases, members=built.members)
            )  # fmt: skip
