"""What made a run: written with it, read with suspicion. Every field has a type, and the identity is computed anew.

The identity is one checksum of everything that determines the numbers. Beside it stand fingerprints of its parts, so that
a seed or a lever that somebody edited can be named.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import chipweir
from chipweir import reading
from chipweir.errors import InputError


if TYPE_CHECKING:
    from chipweir.world import Scenario

MANIFEST_VERSION = 2
RUN_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]{1,150}")
LIMITS = reading.Limits(characters=20_000_000, values=500_000)
_DETERMINE = ("code_digest", "versions", "facts_digest", "rules_digest", "seed", "members")
# Said by newer manifests only.
_IF_SAID = ("beliefs",)
_OF_A_SCENARIO = ("name", "start", "end", "levers", "rules")


def manifest(
    scenarios: "Sequence[Scenario]",
    facts_digest: str,
    rules_digest: str,
    members: int,
    seed: int,
    command: Sequence[str],
) -> dict[str, Any]:
    """Everything that determines a run's numbers, and what else a reader wants to know; the results come later."""
    from importlib.metadata import version

    packages = ("jax", "jaxlib", "numpy", "xarray", "zarr")
    return {
        "manifest_version": MANIFEST_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": chipweir.__version__,
        "code_digest": code_digest(),
        "git": _git_describe(),
        "python": ".".join(map(str, _python_version())),
        "platform": _platform(),
        "versions": {name: version(name) for name in packages},
        "facts_digest": facts_digest,
        "rules_digest": rules_digest,
        "seed": seed,
        "members": members,
        "scenarios": [scenario.model_dump() for scenario in scenarios],
        "command": list(command),
    }


def identity(made: Mapping[str, Any]) -> str:
    """SHA-256 of what determines the numbers of a run: equal identities give equal results."""
    scenarios = [_determining(entry) for entry in made["scenarios"]]
    return _json_digest({**_parts(made), "scenarios": scenarios})


def _parts(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: made[name] for name in _DETERMINE} | {name: made[name] for name in _IF_SAID if name in made}


def sealed(made: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its identity and the fingerprints of what it is made of."""
    return {**made, "identity": identity(made), "fingerprints": _fingerprints(made)}


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """The manifest of the run in `folder`. Raises `InputError` where it is missing, no manifest, or was edited."""
    path = folder / "manifest.json"
    try:
        made = reading.read_json(path, "manifest", LIMITS)
    except InputError as error:
        what = "is missing" if not path.exists() else f"cannot be read ({str(error).removeprefix(f'{folder}/')})"
        raise InputError(f"run {folder.name} is damaged: manifest.json {reading.clean(what, 500)}") from None
    version = made.get("manifest_version") if isinstance(made, dict) else None
    if isinstance(version, int) and version > MANIFEST_VERSION:
        newer = reading.clean(str(made.get("code_version")))
        raise InputError(f"run {folder.name} was made by a newer Chipweir ({newer}); this is {chipweir.__version__}")
    problem = _problem(made)
    if problem:
        raise InputError(f"run {folder.name} is damaged: manifest.json is not complete ({problem})")
    if made["identity"] != identity(made):
        raise InputError(f"run {folder.name} is damaged: {reading.clean(_edited(made, folder), 500)} after it was made")
    sound: Mapping[str, Any] = made
    return sound


def _problem(made: object) -> str:
    """What is wrong with the fields of a manifest, or nothing."""
    from pydantic import ValidationError

    try:
        _record().model_validate(made)
    except ValidationError as error:
        first = error.errors()[0]
        return reading.clean(
            f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].lower()}".lstrip(": "), 300
        )
    return ""


@cache
def _record() -> Any:
    """The fields that every manifest has; it may have more."""
    from typing import Annotated

    from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

    created = TypeAdapter(AwareDatetime)

    def is_time(text: str) -> str:
        created.validate_python(text)
        return text

    def is_below(name: str) -> str:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
            raise ValueError(f"'{name}' is no file of a run")
        return name

    digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    text = Annotated[str, Field(max_length=10_000)]

    class Entry(BaseModel):
        """A scenario as it was resolved; its levers and rules are checked where they are used."""

        model_config = ConfigDict(extra="allow", strict=True)
        name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
        start: str = Field(pattern=r"^\d{4}-\d{2}$")
        end: str = Field(pattern=r"^\d{4}-\d{2}$")
        levers: dict[str, Any]
        rules: list[dict[str, Any]]

    class Manifest(BaseModel):
        model_config = ConfigDict(extra="allow", strict=True)
        manifest_version: int = Field(ge=1)
        created: Annotated[str, AfterValidator(is_time)]
        code_version: text
        code_digest: digest
        git: text | None
        python: text
        platform: text
        versions: dict[str, text]
        facts_digest: text
        rules_digest: text
        seed: int = Field(ge=0, lt=2**63)
        members: int = Field(ge=1, le=10**9)
        scenarios: list[Entry] = Field(min_length=1, max_length=1000)
        command: list[text]
        id: str = Field(pattern=f"^{RUN_ID.pattern}$")
        identity: digest
        results: digest
        files: dict[Annotated[str, AfterValidator(is_below)], digest]

    return Manifest


def _edited(made: Mapping[str, Any], folder: Path) -> str:
    """Which of the things that determine the numbers are no longer those of the run."""
    known = made.get("fingerprints")
    if not isinstance(known, dict):
        return "its seed, members, versions, digests or scenarios were changed"
    now = _fingerprints(made)
    names = [name for name in (*now, *known) if now.get(name) != known.get(name)]
    said: list[str] = []
    for name in dict.fromkeys(names):
        kind, _, scenario = name.partition(" ")
        said += _levers_edited(made, scenario, folder) if kind == "scenario" else [name]
    return f"{', '.join(said[:8]) or 'the order of its scenarios'} {'was' if len(said) < 2 else 'were'} changed"


def _levers_edited(made: Mapping[str, Any], name: str, folder: Path) -> list[str]:
    """What differs between a scenario of the manifest and its own file, by name."""
    entry = next((entry for entry in made["scenarios"] if entry["name"] == name), None)
    try:
        kept = reading.read_yaml(folder / "scenarios" / f"{name}.yaml", "scenario file").data
    except InputError:
        kept = None
    if entry is None or not isinstance(kept, dict) or not isinstance(kept.get("levers"), dict):
        return [f"scenario {name}"]
    levers = [
        f"lever {lever} of {name}"
        for lever in (*entry["levers"], *kept["levers"])
        if entry["levers"].get(lever) != kept["levers"].get(lever)
    ]
    others = [f"{key} of {name}" for key in ("start", "end", "rules") if entry[key] != kept.get(key)]
    return [*dict.fromkeys(levers), *others] or [f"scenario {name}"]


def _fingerprints(made: Mapping[str, Any]) -> dict[str, str]:
    parts = _parts(made)
    parts |= {f"scenario {entry['name']}": _determining(entry) for entry in made["scenarios"]}
    return {name: _json_digest(part)[:16] for name, part in parts.items()}


def _determining(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in _OF_A_SCENARIO}


def code_digest(package: str = "chipweir") -> str:
    """SHA-256 over the package's code and data tables, so that an edit is seen even where no version changed."""
    from importlib.util import find_spec

    found = find_spec(package)  # does not import it: rooms of equations would bring the compiler along
    assert found is not None, package
    root = Path(*(found.submodule_search_locations or ()))
    digest = sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".csv", ".yaml", ".json"} and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _json_digest(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _git_describe() -> str | None:
    """What Git calls this state of the code, where the package is run from a checkout of its own."""
    package = Path(chipweir.__file__).parent
    top = package.parent.parent
    if not (top / ".git").exists() or package != top / "src" / "chipweir":
        return None
    command = ["git", "-C", str(top), "describe", "--always", "--tags", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _python_version() -> tuple[int, int, int]:
    import sys

    return sys.version_info[:3]


def _platform() -> str:
    import platform

    return platform.platform(terse=True)
