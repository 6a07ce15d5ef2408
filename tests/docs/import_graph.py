"""Which package imports which, read from the source without importing it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Arrows = Mapping[str, frozenset[str]]
"""The units that each unit imports, directly."""


@dataclass(frozen=True)
class Code:
    """The modules below a folder: the syntax tree of each by its dotted name, and which of them are packages."""

    trees: Mapping[str, ast.Module]
    packages: frozenset[str]

    @classmethod
    def read(cls, project: Path) -> Code:
        """The modules of `include/` and of `dags/`, the latter as `dags.NAME`."""
        paths = sorted(path for folder in ("include", "dags") for path in (project / folder).rglob("*.py"))
        names = {path: ".".join(path.relative_to(project).with_suffix("").parts) for path in paths}
        trees = {
            name.removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8")) for path, name in names.items()
        }
        packages = {name.removesuffix(".__init__") for name in names.values() if name.endswith(".__init__")}
        return cls(trees, frozenset(packages))

    def summary(self, module: str) -> str:
        """The first sentence of a module's docstring, up to its colon or full stop if it goes on; empty without one."""
        text = " ".join((ast.get_docstring(self.trees[module]) or "").split("\n\n")[0].split())
        return text.split(". ")[0].rstrip(".")

    def files(self, package: str) -> int:
        """The number of modules in a package, those of its packages included."""
        return sum(module.startswith(f"{package}.") for module in self.trees)

    def imports(self, module: str) -> Iterator[str]:
        """The modules of the project that a module imports, anywhere in it."""
        for node in ast.walk(self.trees[module]):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    found = full if full in self.trees else node.module
                    if found in self.trees:
                        yield found
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.trees)

    def ground(self) -> list[str]:
        """The single files of `include/` that import no package: every package may stand on them."""
        files = {name for name in self.trees if name.count(".") == 1 and name.startswith("include.")} - self.packages
        while True:
            kept = {name for name in files if all(other in files | {"include"} for other in self.imports(name))}
            if kept == files:
                return sorted(files)
            files = kept

    def arrows(self, inside: str) -> Arrows:
        """Imports between the units directly inside a package: its packages and its files, by their own names."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for module in self.trees:
            importer = _unit(module, inside)
            if importer:
                found[importer] |= {unit for other in self.imports(module) if (unit := _unit(other, inside))} - {
                    importer
                }
        return {unit: frozenset(found[unit]) for unit in sorted(found)}


def _unit(module: str, inside: str) -> str:
    return module.removeprefix(f"{inside}.").split(".")[0] if module.startswith(f"{inside}.") else ""


def reached(arrows: Arrows, start: str) -> frozenset[str]:
    """All that a unit imports, directly or through others; contains the unit itself if it stands in a circle."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for unit in arrows.get(waiting.pop(), frozenset()) - seen:
            seen.add(unit)
            waiting.append(unit)
    return frozenset(seen)


def reduced(arrows: Arrows) -> Arrows:
    """The same without the arrows that follow from others; ValueError for a circle, of which nothing follows."""
    circle = [unit for unit in arrows if unit in reached(arrows, unit)]
    if circle:
        raise ValueError(f"these packages import one another: {', '.join(circle)}")
    return {
        unit: frozenset(
            target for target in targets if not any(target in reached(arrows, other) for other in targets - {target})
        )
        for unit, targets in arrows.items()
    }
