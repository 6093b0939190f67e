"""Which facts a question rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chipweir.errors import InputError


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.store import Run


@dataclass(frozen=True)
class Known:
    """Which facts a run rests on: the user's directories over the shipped ones, what-ifs by id, the day of knowledge."""

    directories: tuple[Path, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    as_of: str | None = None

    @classmethod
    def of(cls, directories: Sequence[Path] | None, what_ifs: Sequence[str] | None, as_of: str | None) -> "Known":
        """As options give them."""
        return cls(tuple(directories or ()), parse_what_ifs(what_ifs or ()), as_of)

    @classmethod
    def of_run(cls, stored: "Run") -> "Known":
        """What a stored run was made with."""
        folder, made = stored.path / "facts", stored.manifest
        directories = tuple(sorted(folder.iterdir())) if folder.is_dir() else ()
        changes = {each["id"]: each["what_if"] for each in made.get("what_ifs", ())}
        return cls(directories, changes, made.get("as_of"))

    def load(self) -> "Facts":
        """The facts. Raises `InputError` or `UnknownName`."""
        from chipweir import facts

        return facts.load(self.directories, as_of=self.as_of, changes=self.changes)


def parse_what_ifs(texts: Sequence[str]) -> dict[str, str]:
    """What `--fact` was given, as changes by id. Raises `InputError` for a text without a value, or said twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = (part.strip() for part in text.partition("="))
        if not (name and separator and value):
            raise InputError(f"--fact {text}: write id=value, such as fab-004=x1.5 or nvidia-h20.price_usd=90000")
        if name in found:
            raise InputError(f"--fact {name} is given twice")
        found[name] = value
    return found
