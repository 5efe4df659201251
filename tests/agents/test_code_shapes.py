from __future__ import annotations

import pytest

from solver.agents.coding import parse_strict, parse_tolerant
from solver.agents.formats import FormatFailure as F
from solver.agents.languages import LANGUAGES

PY, CPP = LANGUAGES["python"], LANGUAGES["cpp"]
CODE = "import sys\nprint(1)"

# name, text, strict (failure, code), tolerant (failure, code); codes compared without outer blank lines
SHAPES = [
    ("tagged", f"```python\n{CODE}\n```", (None, CODE), (None, CODE)),
    ("tagged in capitals", f"```Python3\n{CODE}\n```", (None, CODE), (None, CODE)),
    ("untagged", f"```\n{CODE}\n```", (None, CODE), (None, CODE)),
    ("no fence", CODE, (None, CODE), (None, CODE)),
    ("prose around", f"Here:\n```python\n{CODE}\n```\nDone.", (None, CODE), (None, CODE)),
    ("the last of two", f"```python\nold\n```\nBetter:\n```python\n{CODE}\n```", (None, CODE), (None, CODE)),
    ("sample output after it", f"```python\n{CODE}\n```\nOutput:\n```\n1\n```", (None, CODE), (None, CODE)),
    (
        "another language after it",
        f"```python\n{CODE}\n```\nRun:\n```bash\npython a.py\n```",
        (None, CODE),
        (None, CODE),
    ),
    ("tail of py", f"```py\n{CODE}\n```", (None, f"py\n{CODE}"), (None, CODE)),
    ("closed on the code's last line", f"```python\n{CODE}```", (None, f"{CODE}\n)"), (None, CODE)),
    (
        "a closed block before an unclosed one",
        f"```python\n{CODE}\n```\nor\n```python\nx",
        (None, CODE),
        (None, CODE),
    ),
    ("unclosed", f"```python\n{CODE}", (F.UNCLOSED_FENCE, None), (F.UNCLOSED_FENCE, CODE)),
    ("unclosed after prose", f"So:\n```\n{CODE}", (F.UNCLOSED_FENCE, None), (F.UNCLOSED_FENCE, CODE)),
    ("thinking with a draft", f"<think>```python\nx\n```</think>\n{CODE}", (None, "x"), (None, CODE)),
    ("prose, no program", "I cannot do this.", (None, "I cannot do this."), (F.NO_CODE, None)),
    ("prose before bare code", f"Here it is:\n{CODE}", (None, f"Here it is:\n{CODE}"), (F.NO_CODE, CODE)),
    ("an empty block", "```python\n```", (None, ""), (F.NO_CODE, None)),
    ("empty", "", (F.EMPTY, ""), (F.EMPTY, None)),
    ("too long", "`" * 1_000_001, (F.TOO_LONG, None), (F.TOO_LONG, None)),
]


@pytest.mark.parametrize(("name", "text", "strict", "tolerant"), SHAPES, ids=[name for name, *_ in SHAPES])
def test_a_program_is_read_strictly_and_tolerantly(
    name: str, text: str, strict: tuple[F | None, str | None], tolerant: tuple[F | None, str | None]
) -> None:
    for parsed, expected in ((parse_strict(text), strict), (parse_tolerant(text, PY), tolerant)):
        code = None if parsed.value is None else parsed.value.strip("\n")
        assert (parsed.failure, code) == expected


@pytest.mark.parametrize(
    ("tag", "tail", "key"),
    [
        ("cpp", "pp", "cpp"),
        ("cs", "s", "csharp"),
        ("py", "py", "python"),
        ("javascript", "script", "javascript"),
        ("golang", "lang", "go"),
        ("kotlin", "kotlin", "kotlin"),
        ("c++", "", "cpp"),
        ("csharp", "", "csharp"),
        ("rust", "", "rust"),
    ],
)
def test_the_published_parser_leaves_the_tail_of_a_language_tag_in_the_code(
    tag: str, tail: str, key: str
) -> None:
    text = f"```{tag}\nint a = 1;\n```"
    strict, tolerant = parse_strict(text), parse_tolerant(text, LANGUAGES[key])
    assert strict.value is not None and strict.value.strip() == f"{tail}\nint a = 1;".strip()
    assert (tolerant.value, tolerant.failure) == ("int a = 1;\n", None)


def test_an_unclosed_block_of_many_lines_is_refused_at_once() -> None:
    parsed = parse_strict("```python\n" + "x = 1\n" * 20_000)
    assert parsed.failure is F.UNCLOSED_FENCE


def test_a_fence_inside_a_string_does_not_end_the_program() -> None:
    code = 'print("```")\nprint(2)'
    assert parse_tolerant(f"```python\n{code}\n```", PY).value == code + "\n"


def test_an_indented_block_is_moved_to_the_left() -> None:
    text = "1. Write:\n   ```python\n   if True:\n       print(1)\n   ```\n"
    assert parse_tolerant(text, PY).value == "if True:\n    print(1)\n"


def test_a_second_opening_fence_ends_an_unclosed_block() -> None:
    text = f"```python\nold\n```python\n{CODE}\n```"
    assert parse_tolerant(text, PY).value == CODE + "\n"


def test_the_block_in_the_run_s_language_is_preferred() -> None:
    text = "```cpp\nint main() {}\n```\nIn Python:\n```python\nprint(1)\n```\n"
    assert parse_tolerant(text, CPP).value == "int main() {}\n"
    assert parse_tolerant(text, PY).value == "print(1)\n"


def test_a_program_on_the_line_of_its_fence_is_found() -> None:
    assert parse_tolerant("```python print(1)```", PY).value is not None
    assert parse_tolerant("Use ```print(1)``` here", PY).value == "print(1)\n"


@pytest.mark.parametrize(
    "code",
    [
        "#include <bits/stdc++.h>\nint main() { return 0; }",
        "n = int(input())\nprint(n)",
        "print(sum(map(int, input().split())))",
        "@cache\ndef f(x):\n    return x",
        "package main\n\nfunc main() {}",
        "use std::io;\nfn main() {}",
        "<?php\necho 1;",
        "a, b = map(int, input().split())\nprint(a + b)",
    ],
)
def test_bare_programs_of_many_languages_are_recognised(code: str) -> None:
    parsed = parse_tolerant(code, PY)
    assert (parsed.failure, parsed.value) == (None, code + "\n")


@pytest.mark.parametrize(
    "prose",
    [
        "For the input we use a list",
        "I am sorry.",
        "if you want to solve this, sort first.",
        "The answer is 42",
    ],
)
def test_prose_is_not_taken_for_a_program(prose: str) -> None:
    assert parse_tolerant(prose, PY).failure is F.NO_CODE
