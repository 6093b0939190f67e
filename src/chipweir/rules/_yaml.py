"""Reading YAML that somebody else wrote: bounded in size, depth and number of values, and without aliases."""

from pathlib import Path
from typing import Any

import yaml

from chipweir.errors import InputError


MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_VALUES = 50_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_user_yaml(path: Path) -> Any:
    """The one document in the file at `path`. Raises `InputError` with one line for anything that is wrong with it."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError(f"{path} is a directory, not a YAML file")
        if size > MAX_BYTES:
            raise InputError(f"{path} is {size:,} bytes; a YAML file here may have at most {MAX_BYTES:,}")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    return parse_user_yaml(text, str(path))


def parse_user_yaml(text: str, where: str) -> Any:
    """The one document in `text`. Aliases are refused, so a short file cannot unfold into a long one."""
    try:
        _check_bounds(text, where)
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{where} is not valid YAML{line}: {problem}") from None


def _check_bounds(text: str, where: str) -> None:
    depth = values = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise InputError(f"{where}: aliases (*{event.anchor}) are not accepted; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        else:
            values += 1
        if depth > MAX_DEPTH:
            raise InputError(f"{where} is nested deeper than {MAX_DEPTH} levels")
        if values > MAX_VALUES:
            raise InputError(f"{where} holds more than {MAX_VALUES:,} values")


def read_shipped_yaml(path: Path) -> Any:
    """A data file of this package; trusted, so read without the bounds."""
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=_Loader)
