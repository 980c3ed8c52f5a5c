"""Reading definitions from resources/: strict YAML into checked models, every error with its path.

Room: a leaf that the cores and the edge may use. Knows YAML and pydantic; knows nothing of what a definition
means and imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

#: The folder with all definitions, beside `bot/`.
RESOURCES = Path(__file__).resolve().parents[1] / "resources"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

ModelT = TypeVar("ModelT", bound=BaseModel)


class Definition(BaseModel):
    """Base of every definition: unknown keys are refused, values not coerced, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class SourcedDefinition(Definition):
    """A definition that says what it is, since when it holds, who stands for it and where it comes from."""

    id: str
    title: str
    version: int
    valid_from: date
    status: Literal["product_rule", "reviewed"]
    source: str


class ResourceError(ValueError):
    """One or more definitions cannot be used. `errors` holds one plain line per fault, each with its path."""

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


class _StrictLoader(_Loader):  # type: ignore[misc]
    """PyYAML's safe loader, but a key given twice is an error; by itself it keeps the last one silently."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    content: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, Hashable):
            raise ResourceError([f"line {line}: a key must be a single word or number"])
        if key in content:
            raise ResourceError([f"line {line}: the key {key!r} is given twice"])
        content[key] = loader.construct_object(value_node, deep=True)
    return content


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:
    """The content of one YAML file.

    Raises:
        ResourceError: the file is missing, not UTF-8, not YAML, or gives a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 (a safe loader's child)
    except ResourceError as error:
        raise ResourceError([f"{path}: {line}" for line in error.errors]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ResourceError([f"{path}: {where}not valid YAML: {problem}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ResourceError([f"{path}: cannot be read: {reason}"]) from None


def read_definition(path: Path, model: type[ModelT]) -> ModelT:
    """One definition, checked against its model.

    Raises:
        ResourceError: with every fault of the file, one line each.
    """
    return check_definition(path, read_yaml(path), model)


def check_definition(path: Path, content: Any, model: type[ModelT]) -> ModelT:
    """Check content that was read from `path` already; as `read_definition`."""
    if not isinstance(content, dict):
        raise ResourceError([f"{path}: expected keys and values"])
    try:
        found = model.model_validate(content)
    except ValidationError as error:
        raise ResourceError(
            [f"{path}: {_where(fault['loc'])}{_said(fault)}" for fault in error.errors()]
        ) from None
    name = getattr(found, "id", path.stem)
    if name != path.stem:
        raise ResourceError([f"{path}: id is {name!r}, but the file is named {path.name}"])
    return found


def read_folder(folder: Path, model: type[ModelT]) -> dict[str, ModelT]:
    """Every *.yml file of a folder, by file stem, in order of name.

    Raises:
        ResourceError: with every fault of every file.
    """
    found: dict[str, ModelT] = {}
    errors: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            found[path.stem] = read_definition(path, model)
        except ResourceError as error:  # noqa: PERF203 (all faults are collected)
            errors += error.errors
    if errors:
        raise ResourceError(errors)
    return found


def _where(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) + ": " if loc else ""


def _said(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "missing"
    message: str = fault["msg"]
    return message.removeprefix("Value error, ")
