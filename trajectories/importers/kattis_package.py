"""The files of one problem package, by their names inside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from trajectories.importers.bounds import MB, Bounds
from trajectories.importers.fault import Malformed
from trajectories.importers.row import Row
from trajectories.importers.tree import Tree, children, read_text

METADATA = "problem.yaml"
_YAML_MAX = 1 * MB
_DEEPEST_ROOT = 3
# A short alias tree can unfold to gigabytes; packages have no use for aliases.
_ALIAS = yaml.tokens.AliasToken


@dataclass(frozen=True, slots=True)
class Package:
    """`root` is empty when the tree is the package; `names` are those of its files, without the root."""

    tree: Tree
    bounds: Bounds
    root: str
    name: str
    names: tuple[str, ...]

    def has(self, name: str) -> bool:
        return name in self.names

    def below(self, folder: str) -> list[str]:
        return children(list(self.names), folder)

    def text(self, name: str) -> str:
        try:
            return read_text(self.tree, f"{self.root}/{name}".lstrip("/"), self.bounds.text)
        except Malformed as malformed:
            raise self.malformed(name, malformed.field, malformed.problem, malformed.mend) from malformed

    def malformed(self, member: str, field: str, problem: str, mend: str) -> Malformed:
        return Malformed(field, problem, mend, member=f"{self.root}/{member}".lstrip("/"))

    def yaml(self, name: str) -> Row:
        """A YAML file that holds a mapping; an empty file is an empty mapping."""
        text = self.text(name)
        if len(text) > _YAML_MAX:
            raise self.malformed(name, "", "is longer than a megabyte", "shorten it")
        try:
            if any(isinstance(token, _ALIAS) for token in yaml.scan(text)):
                raise self.malformed(name, "", "has YAML aliases", "write the values out")
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}" if mark else ""
            problem = f"is not YAML{where}: {getattr(error, 'problem', None) or 'it cannot be parsed'}"
            raise self.malformed(name, "", problem, "correct the line") from error
        except (ValueError, RecursionError) as error:
            raise self.malformed(name, "", f"cannot be read as YAML ({error})", "correct it") from error
        if value is None:
            return Row({})
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise self.malformed(name, "", "is not a mapping with names as keys", "write `name: value` lines")
        return Row(value)


def plain(value: Any) -> Any:
    """YAML knows dates and numbers as keys; JSON does not."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def packages(tree: Tree, bounds: Bounds, fallback: str) -> Iterator[Package]:
    """Every folder with a problem.yaml that is not inside another package."""
    names = tree.names()
    roots = sorted(
        (name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == METADATA),
        key=lambda root: (root.count("/"), root),
    )
    taken: list[str] = []
    for root in roots:
        inside = any(not other or root.startswith(f"{other}/") for other in taken)
        if not inside and root.count("/") < _DEEPEST_ROOT:
            taken.append(root)
    for root in taken:
        own = tuple(name[len(root) + 1 if root else 0 :] for name in children(names, root))
        short = root.rpartition("/")[2] or fallback.removesuffix(".zip").removesuffix(".kpp")
        yield Package(tree, bounds, root, _slug(short), own)


def _slug(name: str) -> str:
    return "-".join(name.split())[:150] or "problem"
