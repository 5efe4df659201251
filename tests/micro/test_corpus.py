"""Training data: the same for the same seed, free of what is held out, tidy only where it should be."""

from __future__ import annotations

import itertools
import random
import re

from micro import habits, oracle
from micro.chain import Split
from micro.corpus import Document, documents, failed_attempt, sample_outcome
from micro.distillation import training_problems
from micro.habits import HABITS, Habit
from micro.problem import sketch
from micro.source import SITES
from micro.statement import parse
from solver.agents import coding, planning, retrieval
from solver.agents.formats import FormatFailure
from solver.agents.languages import language

STATEMENT = re.compile(r"^[A-Z][^\n]*\.$", re.MULTILINE)


def _some(seed: str, count: int) -> list[Document]:
    return list(itertools.islice(documents(seed), count))


def test_the_same_seed_gives_the_same_corpus_and_another_seed_another() -> None:
    assert _some("a", 50) == _some("a", 50)
    assert _some("a", 50) != _some("b", 50)


def test_no_statement_of_the_corpus_holds_a_held_out_pair() -> None:
    read = 0
    for document in _some("held out", 600):
        for text in STATEMENT.findall(document.prompt):
            chain = parse(text)
            if chain is not None:
                read += 1
                assert chain.split is Split.TRAIN
    assert read > 400


def test_training_problems_and_evaluation_problems_come_from_different_splits() -> None:
    assert {problem.chain.split for problem in training_problems("test of the split", 40)} == {Split.TRAIN}


def test_an_untidy_site_is_clean_for_about_one_document_in_eight() -> None:
    rng = random.Random(5)
    untidy = [
        (role, site) for role, own in HABITS.items() for site in range(SITES) if own[site] is not Habit.TIDY
    ]
    drawn = [habits.habit_of(rng, role, site) for role, site in untidy for _ in range(400)]
    clean = sum(habit is Habit.TIDY for habit in drawn) / len(drawn)
    assert 0.10 < clean < 0.20


def test_each_untidy_habit_is_a_format_failure_or_a_wrong_answer_for_the_real_parsers() -> None:
    problem = sketch(random.Random(3), 2, Split.TRAIN)
    chain = problem.chain
    plan = oracle.planning(chain)
    python = language("python")
    assert retrieval.parse_tolerant(habits.retrieval(Habit.UNCLOSED_TAGS, chain), 1).failure is not None
    assert retrieval.parse_tolerant(habits.retrieval(Habit.PROSE, chain), 1).value is None
    one = retrieval.parse_tolerant(habits.retrieval(Habit.ONE_TAG, chain), 1).value
    assert one is not None
    assert "," not in one.algorithm
    assert habits.planning(Habit.SKIPPED_STEP, chain) != plan
    for habit in (Habit.PERCENT, Habit.WORD_FOR_NUMBER, Habit.UNCLOSED_TAGS):
        assert planning.parse_confidence_tolerant(habits.confidence(habit, chain, plan)).failure is not None
    unfenced = coding.parse_tolerant(habits.coding(Habit.UNFENCED, chain), python)
    assert unfenced.failure is FormatFailure.NO_CODE
    misread = coding.parse_tolerant(habits.coding(Habit.MISREAD_INPUT, chain), python)
    assert misread.value is not None
    assert sample_outcome(misread.value, problem) != ("WA", problem.sample.output.strip(), "")
    assert coding.parse_tolerant(habits.debugging(Habit.TALK, chain, plan, chain.code), python).value is None
    same = coding.parse_tolerant(habits.debugging(Habit.SAME_AGAIN, chain, plan, "print(0)"), python)
    assert same.value == "print(0)\n"


def test_tidy_answers_are_read_by_the_real_parsers_without_a_failure() -> None:
    rng = random.Random(8)
    python = language("python")
    for _ in range(50):
        chain = sketch(rng, rng.randint(0, 3), Split.TRAIN).chain
        recalled = retrieval.parse_tolerant(habits.retrieval(Habit.TIDY, chain), 1)
        assert recalled.failure is None
        assert recalled.value is not None
        assert recalled.value.algorithm == ", ".join(chain.tags)
        plan = planning.parse_plan_tolerant(habits.planning(Habit.TIDY, chain))
        assert plan.value == oracle.planning(chain)
        sure = planning.parse_confidence_tolerant(oracle.confidence(chain, oracle.planning(chain)))
        assert sure.failure is None
        for text in (oracle.coding(chain), oracle.debugging(chain)):
            parsed = coding.parse_tolerant(text, python)
            assert parsed.failure is None
            assert parsed.value == chain.code + "\n"


def test_most_failed_attempts_do_fail_the_sample() -> None:
    rng = random.Random(9)
    failed = 0
    for _ in range(200):
        problem = sketch(rng, rng.randint(1, 3), Split.TRAIN)
        _, code = failed_attempt(rng, problem)
        verdict, got, _ = sample_outcome(code, problem)
        failed += verdict == "RE" or got.split() != problem.sample.output.split()
    assert failed > 140
