"""What a prompt says of a programming language: its name, its fences' tags, how it reads and writes.

The keys are the judge's. Building and running belongs to the judge; here are only words.
"""

from __future__ import annotations

from dataclasses import dataclass


class UnknownLanguage(ValueError):
    """No words for this language; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class PromptLanguage:
    """`tags`: what models write after an opening fence. `reads` completes "Read from standard input"."""

    key: str
    name: str
    tags: frozenset[str]
    reads: str


def _language(key: str, name: str, tags: str, reads: str) -> PromptLanguage:
    return PromptLanguage(key, name, frozenset(tags.split()), reads)


LANGUAGES: dict[str, PromptLanguage] = {
    language.key: language
    for language in (
        _language(
            "python",
            "Python 3",
            "python python3 py py3 python2 pypy pypy3 cpython",
            "with `input()` or `sys.stdin` and write to standard output with `print()`",
        ),
        _language(
            "c",
            "C",
            "c c99 c11 c17 gcc",
            "with `scanf` or `fgets` and write to standard output with `printf`",
        ),
        _language(
            "cpp",
            "C++17",
            "cpp c++ cxx cc c++11 c++14 c++17 c++20 cpp17 cpp20 g++",
            "with `std::cin` and write to standard output with `std::cout`",
        ),
        _language(
            "java",
            "Java",
            "java java8 java11 java17",
            "with a `BufferedReader` or `Scanner` on `System.in` and write to standard output with "
            "`System.out`; the class that holds `main` is called `Main`",
        ),
        _language(
            "javascript",
            "JavaScript (Node.js)",
            "javascript js node nodejs ecmascript mjs",
            "with `require('fs').readFileSync(0, 'utf8')` and write to standard output with `console.log`",
        ),
        _language(
            "go",
            "Go",
            "go golang",
            "with a `bufio.Reader` on `os.Stdin` and write to standard output with `fmt`, in `package main`",
        ),
        _language(
            "rust",
            "Rust",
            "rust rs",
            "with `std::io::stdin` and write to standard output with `println!`; only `std` is available",
        ),
        _language(
            "csharp",
            "C#",
            "c# csharp cs dotnet",
            "with `Console.ReadLine` or `Console.In` and write to standard output with `Console.Write`",
        ),
        _language(
            "kotlin",
            "Kotlin",
            "kotlin kt kts",
            "with `readLine()` and write to standard output with `println`, from a top-level `fun main()`",
        ),
        _language(
            "php",
            "PHP",
            "php",
            "with `fgets(STDIN)` and write to standard output with `echo`; the file begins with `<?php`",
        ),
        _language(
            "ruby",
            "Ruby",
            "ruby rb",
            "with `gets` or `$stdin.read` and write to standard output with `puts`",
        ),
    )
}

# Tags of fences that hold something else than a program: sample output, a shell session, data.
NOT_CODE_TAGS = frozenset(
    {
        *("text", "txt", "plain", "plaintext", "output", "input", "stdout", "stdin", "log", "console"),
        *(
            "bash",
            "sh",
            "shell",
            "json",
            "xml",
            "html",
            "yaml",
            "toml",
            "csv",
            "markdown",
            "md",
            "diff",
            "latex",
        ),
        *("pseudocode", "pseudo"),
    }
)
FENCE_TAGS = NOT_CODE_TAGS.union(*(language.tags for language in LANGUAGES.values()))


def language(key: str) -> PromptLanguage:
    try:
        return LANGUAGES[key]
    except KeyError:
        raise UnknownLanguage(
            f"no prompt words for the language {key!r}; there are: {', '.join(LANGUAGES)}"
        ) from None
