"""The steps that work on a word `s` of small letters."""

from __future__ import annotations

from micro.operation import Kind, Operation

CHANGES = (
    Operation(
        "vowels",
        Kind.TEXT_CHANGE,
        1,
        "filter",
        ("keep only the vowels", "delete everything but the vowels"),
        ("the vowels of",),
        "keep the vowels",
        's = "".join(c for c in s if c in "aeiou")',
    ),
    Operation(
        "consonants",
        Kind.TEXT_CHANGE,
        1,
        "filter",
        ("delete all vowels", "keep only the consonants"),
        ("the consonants of",),
        "keep the consonants",
        's = "".join(c for c in s if c not in "aeiou")',
    ),
    Operation(
        "backwards",
        Kind.TEXT_CHANGE,
        1,
        "reversal",
        ("write it backwards", "reverse the letters"),
        ("the backward spelling of",),
        "reverse the word",
        "s = s[::-1]",
    ),
    Operation(
        "alphabetical",
        Kind.TEXT_CHANGE,
        1,
        "sorting",
        ("sort its letters alphabetically", "arrange the letters from a to z"),
        ("the alphabetical order of",),
        "sort the letters",
        's = "".join(sorted(s))',
    ),
    Operation(
        "caesar",
        Kind.TEXT_CHANGE,
        2,
        "caesar cipher",
        ("shift every letter by {c} in the alphabet", "apply a caesar cipher with shift {c}"),
        ("the caesar cipher with shift {c} of",),
        "shift the letters by {c}",
        's = "".join(chr((ord(c) - 97 + {c}) % 26 + 97) for c in s)',
        (1, 2, 3, 5),
    ),
    Operation(
        "squeeze",
        Kind.TEXT_CHANGE,
        2,
        "runs",
        ("collapse each block of equal letters into one", "squeeze equal neighbouring letters"),
        ("the squeezed form of",),
        "squeeze equal neighbours",
        's = "".join(c for i, c in enumerate(s) if i == 0 or s[i - 1] != c)',
    ),
)

TO_LIST = (
    Operation(
        "positions",
        Kind.TEXT_TO_LIST,
        2,
        "letters to numbers",
        (
            "convert the letters to their positions in the alphabet",
            "write each letter as its number in the alphabet",
        ),
        ("the alphabet positions of",),
        "turn letters into alphabet positions",
        "a = [ord(c) - 96 for c in s]",
    ),
    Operation(
        "letter_counts",
        Kind.TEXT_TO_LIST,
        2,
        "frequency",
        (
            "count how often each different letter occurs in order of first occurrence",
            "list the letter counts in order of first occurrence",
        ),
        ("the letter counts in order of first occurrence of",),
        "list the counts of the distinct letters",
        "a = [s.count(c) for c in dict.fromkeys(s)]",
    ),
)

REDUCTIONS = (
    Operation(
        "length",
        Kind.TEXT_REDUCE,
        1,
        "counting",
        (),
        ("the length of {of}", "how many letters there are in {of}"),
        "print the length",
        "print(len(s))",
    ),
    Operation(
        "text",
        Kind.TEXT_REDUCE,
        1,
        "output",
        (),
        ("the text {of}", "the string {of}"),
        "print the word",
        "print(s)",
    ),
    Operation(
        "palindrome",
        Kind.TEXT_REDUCE,
        2,
        "palindromes",
        (),
        (
            "YES if {of} is a palindrome and NO otherwise",
            "YES or NO depending on whether {of} reads the same backwards",
        ),
        "print YES if the word is a palindrome",
        'print("YES" if s == s[::-1] else "NO")',
    ),
    Operation(
        "letters",
        Kind.TEXT_REDUCE,
        1,
        "sets",
        (),
        ("the number of different letters of {of}", "how many distinct letters occur in {of}"),
        "print the number of distinct letters",
        "print(len(set(s)))",
    ),
    Operation(
        "run_lengths",
        Kind.TEXT_REDUCE,
        3,
        "run length encoding",
        (),
        ("the run length encoding of {of}", "the run length code of {of}"),
        "print the run length encoding",
        'from itertools import groupby\nprint("".join(c + str(len(list(g))) for c, g in groupby(s)))',
    ),
    Operation(
        "last_letter",
        Kind.TEXT_REDUCE,
        1,
        "maximum",
        (),
        ("the alphabetically last letter of {of}", "the latest letter in the alphabet of {of}"),
        "print the last letter in the alphabet",
        "print(max(s))",
    ),
)

TEXT_OPERATIONS = CHANGES + TO_LIST + REDUCTIONS
