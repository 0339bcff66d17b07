"""Hold the code to its budgets: small files, short functions, few parameters, and methods of small reach.

    python tools/check_budgets.py [ROOT]

Reach is the number of other marey modules that a method's file drags in, directly or through others (empty
`__init__` files do not count): the best single answer to "can I change this without knowing the whole?".
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES, FUNCTION_LINES, PARAMETERS, REACH = 400, 60, 6, 12
FOLDERS = ("src", "tests", "tools")


def files(root: Path) -> Iterator[Path]:
    """Every Python file of the project."""
    for folder in FOLDERS:
        yield from sorted((root / folder).rglob("*.py"))


def too_large(path: Path, root: Path) -> Iterator[str]:
    """Complaints about one file."""
    where, text = path.relative_to(root), path.read_text("utf-8")
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield f"{where}: {lines} lines; at most {FILE_LINES}, so split it by what its parts are about"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{where}:{node.lineno}: {node.name} has {length} lines; at most {FUNCTION_LINES}"
        named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        count = sum(a.arg not in ("self", "cls") for a in named)
        if count > PARAMETERS and where.parts[0] == "src":
            yield f"{where}:{node.lineno}: {node.name} has {count} parameters; at most {PARAMETERS}"


def modules(root: Path) -> dict[str, Path]:
    """Modules of the package by dotted name."""
    source = root / "src"
    names = {}
    for path in sorted((source / "marey").rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that a file imports, wherever in it; type-checking imports count too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inside & known.keys()) or {node.module}
    return found & known.keys()


def reach(name: str, known: dict[str, Path]) -> set[str]:
    """Every other module that a module drags in."""
    seen, todo = {name}, [name]
    while todo:
        for other in imported(known[todo.pop()], known) - seen:
            seen.add(other)
            todo.append(other)
    return {other for other in seen - {name} if known[other].stat().st_size}


def too_far(root: Path) -> Iterator[str]:
    """Complaints about methods that drag in too much."""
    known = modules(root)
    for name in known:
        if name.startswith("marey.methods."):
            others = sorted(reach(name, known))
            if len(others) > REACH:
                listed = ", ".join(other.removeprefix("marey.") for other in others)
                yield f"{name}: reaches {len(others)} modules ({listed}); at most {REACH}"


def main() -> int:
    """Print every complaint; 1 if there was one."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    complaints = [line for path in files(root) for line in too_large(path, root)] + list(too_far(root))
    print("\n".join(complaints) or "budgets: kept")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
