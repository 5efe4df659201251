"""What an event log says about one run: which program came first, which one was submitted, what failed to parse."""

from __future__ import annotations

from typing import Any

from solver.campaigns.measures import Origin, RunMeasures, measure
from tests.factories import step_finished, step_started
from trajectories import events
from trajectories.models import StepEvent


class Log:
    """A run's log written a line at a time."""

    def __init__(self) -> None:
        self.rows: list[StepEvent] = []
        self.step = 0

    def add(self, event: events.Event) -> None:
        row = StepEvent(seq=len(self.rows) + 1, kind=event.kind, payload=event.model_dump(mode="json"))
        self.rows.append(row)

    def ask(self, role: str, failure: str = "", usable: bool = True, **changes: Any) -> Log:
        self.step += 1
        self.add(step_started(self.step, role=role))
        parse = {"usable": usable, "failure": failure}
        self.add(step_finished(self.step, parse=parse, **changes))
        return self

    def test(self, code: str, verdict: str, suite: str = "samples") -> Log:
        self.step += 1
        self.begin(code, suite)
        self.add(
            events.TestsFinished.model_validate(
                {
                    "step": self.step,
                    "suite": suite,
                    "verdict": verdict,
                    "passed": 0,
                    "total": 1,
                    "strip": "w",
                    "seconds": 0.25,
                    "report": {},
                }
            )
        )
        return self

    def begin(self, code: str, suite: str) -> None:
        fields = {"step": self.step, "attempt": 1, "suite": suite, "language": "python", "code": code}
        self.add(events.TestsStarted.model_validate({**fields, "code_digest": "d", "total": 1}))

    def read(self) -> RunMeasures:
        return measure(self.rows)


def test_a_first_program_that_is_accepted_is_an_initial_solve() -> None:
    found = Log().ask("coding").test("a", "AC").test("a", "AC", "hidden").read()
    assert (found.origin, found.first_samples, found.first_hidden) == (Origin.FIRST, "AC", "AC")


def test_a_program_of_the_debugger_is_a_repair_and_says_nothing_hidden_of_the_first() -> None:
    log = Log().ask("coding").test("a", "WA").ask("debugging").test("b", "AC").test("b", "AC", "hidden")
    found = log.read()
    assert (found.origin, found.first_samples, found.first_hidden) == (Origin.REPAIR, "WA", "")
    assert found.programs_tested == 2


def test_the_next_plans_program_is_neither_first_nor_repair() -> None:
    log = Log().ask("coding").test("a", "WA").ask("debugging").test("b", "WA").ask("coding").test("c", "AC")
    assert log.test("c", "WA", "hidden").read().origin is Origin.OTHER


def test_a_fallback_to_the_first_program_is_a_first_program_whose_hidden_verdict_is_known() -> None:
    log = Log().ask("coding").test("a", "WA").ask("debugging").test("b", "RE").test("a", "AC", "hidden")
    found = log.read()
    assert (found.origin, found.first_samples, found.first_hidden) == (Origin.FIRST, "WA", "AC")


def test_a_strategy_that_tests_nothing_submits_its_first_program() -> None:
    found = Log().ask("coding").test("a", "TLE", "hidden").read()
    assert (found.origin, found.first_samples, found.first_hidden) == (Origin.FIRST, "", "TLE")


def test_an_untested_last_repair_is_a_repair() -> None:
    log = Log().ask("coding").test("a", "WA").ask("debugging").test("b", "AC", "hidden")
    assert log.read().origin is Origin.REPAIR


def test_a_repair_that_changes_nothing_leaves_the_first_program() -> None:
    log = Log().ask("coding").test("a", "WA").ask("debugging").test("a", "WA").test("a", "WA", "hidden")
    assert log.read().origin is Origin.FIRST


def test_no_program_has_no_origin() -> None:
    found = Log().ask("coding", "no_code", usable=False).read()
    assert (found.origin, found.programs_tested, found.first_samples) == (Origin.NONE, 0, "")


def test_failures_are_counted_by_role_and_code_and_rescued_ones_beside() -> None:
    log = Log().ask("retrieval", "bad_xml").ask("retrieval", "no_root", usable=False).ask("coding")
    found = log.read()
    assert found.roles["retrieval"].failures == {"bad_xml": 1, "no_root": 1}
    assert (found.roles["retrieval"].format_failures, found.roles["retrieval"].rescued) == (2, 1)
    assert found.roles["coding"].format_failures == 0
    assert (found.whole().calls, found.whole().prompt_tokens, found.whole().seconds) == (3, 300, 1.5)


def test_a_step_cut_off_by_a_crash_and_done_again_counts_once() -> None:
    log = Log()
    log.step = 1
    log.add(step_started(1))
    log.step = 0
    log.ask("coding")
    log.step = 2
    log.begin("a", "hidden")
    log.step = 1
    found = log.test("a", "AC", "hidden").read()
    assert (found.whole().calls, found.programs_tested, found.judge_seconds) == (1, 1, 0.25)
    assert found.origin is Origin.FIRST and found.last_seq == len(log.rows)


def test_measures_survive_being_stored() -> None:
    found = Log().ask("planning", "empty", usable=False, estimated=True).ask("coding").test("a", "WA").read()
    assert RunMeasures.from_dict(found.to_dict()) == found
