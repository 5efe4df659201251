"""What can be read out of Python assert statements without running them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence

from trajectories.problem_schema import Sample

_LONGEST = 1 << 20
_BUILT_IN = frozenset(dir(builtins))


def parsed(code: str) -> ast.Module | None:
    """The syntax tree, or None where there is none."""
    if len(code) > _LONGEST:
        return None
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def fault(code: str) -> str | None:
    """Why the code is no Python: "line 3: invalid syntax"; None where it is. What is too long to look at passes."""
    if len(code) > _LONGEST:
        return None
    try:
        ast.parse(code)
    except SyntaxError as error:
        return f"line {error.lineno or 1}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return None


def defines(code: str, name: str) -> bool:
    """Whether the top level defines that name; what is too long to look at may."""
    tree = parsed(code)
    return name in _defined(tree) if tree is not None else len(code) > _LONGEST


def sample(code: str) -> Sample | None:
    """An assert statement as a sample: `assert f(1) == 2` shows `f(1)` and `2`; None where it is no assert."""
    tree = parsed(code)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Assert):
        return None
    test = tree.body[0].test
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
            shown, wanted = _source(code, left), _source(code, right)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            shown, wanted = _source(code, inner), "False"
        case _:
            shown, wanted = _source(code, test), "True"
    return Sample.model_validate({"input": shown, "output": wanted, "assert": code})


def samples(codes: Sequence[str], setup: str = "") -> tuple[Sample, ...]:
    """`setup` is what has to run before each of the statements."""
    found = (sample(code) for code in codes)
    return tuple(with_setup(one, setup) for one in found if one is not None)


def with_setup(one: Sample, setup: str) -> Sample:
    if not setup or one.assert_code is None:
        return one
    return one.model_copy(update={"assert_code": f"{setup}\n{one.assert_code}"})


def entry_point(tests: Sequence[str], solution: str) -> str | None:
    """The function under test: of those that the solution defines, the one that the tests call first.

    Without a solution, the first called name that is not a built-in.
    """
    tree = parsed(solution)
    defined = set(_defined(tree)) if tree else set()
    called = list(_called(tests))
    for name in called:
        if name in defined:
            return name
    return next((name for name in called if name not in _BUILT_IN), None)


def function_names(code: str) -> list[str]:
    """Names of top-level functions, in order."""
    tree = parsed(code)
    if tree is None:
        return []
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def _called(tests: Sequence[str]) -> Iterator[str]:
    for test in tests:
        tree = parsed(test)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id


def _source(code: str, node: ast.expr) -> str:
    """The expression as written; its brackets, if any, are not part of it, so a line break inside is rewritten."""
    text = ast.get_source_segment(code, node) or ""
    tree = parsed(text)
    return text if tree is not None and len(tree.body) == 1 else ast.unparse(node)
