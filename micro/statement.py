"""The controlled English of micro problems: a writer with paraphrases and the parser that undoes it.

A statement is an opening sentence (which names the source) and a body in one of three styles:

- nested: `Print the sum of the squares of the numbers.`
- sequential: `First replace each of the numbers by its square. Finally print the sum of the result.`
- mixed: some steps as sentences of their own, the rest nested in the last sentence.

`parse` inverts `write` for every chain; text outside the grammar has no parse.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from micro.chain import OPERATIONS, Chain, Step
from micro.operation import Operation, with_constant
from micro.source import NAMES, SITES, SOURCES, THINGS, Source

FIRST_LEADS = ("", "First")
LEADS = ("Then", "Next", "After that", "Now", "")
CLOSINGS = ("Finally", "At the end", "In the end", "Lastly", "")
VERBS = ("Print", "Output", "Report", "Find", "Compute")
REMAINDERS = ("the result", "what remains")
ASK = "{name} wants you to"


@dataclass(frozen=True)
class Statement:
    """`site` is the index of the opening among those of its source."""

    text: str
    site: int


def write(rng: random.Random, chain: Chain) -> Statement:
    source = chain.source
    things, name, site = rng.choice(THINGS), rng.choice(NAMES), rng.randrange(SITES)
    opening = _fill(source.openings[site], things, name)
    base = _fill(source.base, things, name)
    transforms = chain.steps[:-1]
    told = _steps_told_in_sentences(rng, len(transforms))
    sentences = [opening]
    for index, step in enumerate(transforms[:told]):
        lead = rng.choice((*FIRST_LEADS, _fill(ASK, things, name))) if index == 0 else rng.choice(LEADS)
        command = with_constant(rng.choice(step.operation.commands), step.constant)
        sentences.append(_sentence(lead, _fill(command, source.things or things, name)))
    of = rng.choice(REMAINDERS) if told else base
    for step in transforms[told:]:
        of = f"{with_constant(rng.choice(step.operation.nouns), step.constant)} {of}"
    closing = rng.choice(CLOSINGS) if told else ""
    final = with_constant(rng.choice(chain.steps[-1].operation.nouns), chain.steps[-1].constant)
    sentences.append(_sentence(closing, f"{rng.choice(VERBS).lower()} {final.replace('{of}', of)}"))
    return Statement(" ".join(sentences), site)


def _steps_told_in_sentences(rng: random.Random, transforms: int) -> int:
    style = rng.random()
    if transforms == 0 or style < 0.4:
        return 0
    if transforms == 1 or style < 0.8:
        return transforms
    return rng.randint(1, transforms - 1)


def _fill(phrase: str, things: str, name: str) -> str:
    return phrase.replace("{things}", things).replace("{name}", name)


def _sentence(lead: str, clause: str) -> str:
    return f"{lead} {clause}." if lead else f"{clause[0].upper()}{clause[1:]}."


def parse(text: str) -> Chain | None:
    """The chain a statement means; None outside the grammar."""
    found = set(parses(text))
    return found.pop() if len(found) == 1 else None


def parses(text: str) -> Iterator[Chain]:
    """Every reading of the text; the writer never produces a text with two."""
    sentences = [s.strip() for s in text.strip().split(".")]
    if len(sentences) < 3 or sentences.pop() or len(text) > 2000:
        return
    for source, things in _openings_read(sentences[0] + "."):
        commands = _commands(source.things or things)
        told: list[Step] = []
        for sentence in sentences[1:-1]:
            step = _command_read(sentence, commands)
            if step is None:
                break
            told.append(step)
        else:
            base = _fill(source.base, things, "")
            for nested in _final_read(sentences[-1], (base,) if not told else REMAINDERS):
                chain = Chain(source.name, (*told, *nested))
                if chain.is_well_formed:
                    yield chain


def _openings_read(sentence: str) -> Iterator[tuple[Source, str]]:
    for source, pattern in _opening_patterns():
        match = pattern.fullmatch(sentence)
        if match:
            yield source, match.groupdict().get("things") or ""


@lru_cache(maxsize=1)
def _opening_patterns() -> tuple[tuple[Source, re.Pattern[str]], ...]:
    patterns = []
    for source in SOURCES.values():
        for opening in source.openings:
            pattern = re.escape(opening)
            pattern = pattern.replace(r"\{things\}", f"(?P<things>{'|'.join(THINGS)})")
            patterns.append((source, re.compile(pattern.replace(r"\{name\}", f"(?:{'|'.join(NAMES)})"))))
    return tuple(patterns)


@lru_cache(maxsize=len(THINGS) + 2)
def _commands(things: str) -> dict[str, Step]:
    return {
        _fill(command, things, ""): step
        for operation in OPERATIONS.values()
        for phrases, step in _spoken(operation, operation.commands)
        for command in phrases
    }


@lru_cache(maxsize=1)
def _transform_nouns() -> tuple[tuple[str, Step], ...]:
    return tuple(
        (f"{noun} ", step)
        for operation in OPERATIONS.values()
        if operation.is_transform
        for phrases, step in _spoken(operation, operation.nouns)
        for noun in phrases
    )


@lru_cache(maxsize=1)
def _reduction_nouns() -> tuple[tuple[str, str, Step], ...]:
    nouns = []
    for operation in OPERATIONS.values():
        if not operation.is_transform:
            for phrases, step in _spoken(operation, operation.nouns):
                for phrase in phrases:
                    before, _, after = phrase.partition("{of}")
                    nouns.append((before, after, step))
    return tuple(nouns)


def _spoken(operation: Operation, phrases: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Step]]:
    for constant in operation.constants or (None,):
        yield tuple(with_constant(p, constant) for p in phrases), Step(operation.name, constant)


def _command_read(sentence: str, commands: dict[str, Step]) -> Step | None:
    lowered = sentence[:1].lower() + sentence[1:]
    if lowered in commands:
        return commands[lowered]
    for lead in _leads():
        if sentence.startswith(lead) and sentence[len(lead) :] in commands:
            return commands[sentence[len(lead) :]]
    return None


@lru_cache(maxsize=1)
def _leads() -> tuple[str, ...]:
    spoken = (*FIRST_LEADS, *LEADS, *(_fill(ASK, "", name) for name in NAMES))
    return tuple(f"{lead} " for lead in spoken if lead)


def _final_read(sentence: str, bases: tuple[str, ...]) -> Iterator[tuple[Step, ...]]:
    for closing in CLOSINGS:
        for verb in VERBS:
            start = f"{closing} {verb.lower()} " if closing else f"{verb} "
            if sentence.startswith(start):
                yield from _reduction_read(sentence[len(start) :], bases)


def _reduction_read(phrase: str, bases: tuple[str, ...]) -> Iterator[tuple[Step, ...]]:
    for before, after, step in _reduction_nouns():
        if phrase.startswith(before) and phrase.endswith(after) and len(phrase) > len(before) + len(after):
            for inner in _object_read(phrase[len(before) : len(phrase) - len(after)], bases):
                yield (*inner, step)


def _object_read(phrase: str, bases: tuple[str, ...]) -> Iterator[tuple[Step, ...]]:
    """The outermost noun is the last step: the innermost is done first."""
    if phrase in bases:
        yield ()
    for noun, step in _transform_nouns():
        if phrase.startswith(noun):
            for inner in _object_read(phrase[len(noun) :], bases):
                yield (*inner, step)
