"""Every kind of event and the schema of its payload. An event that does not fit its schema is never written.

`step` in a payload is the step's number within the run, 1-based, in the order in which the strategy asked; a step
that was cut short by a crash is started again under the same number.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]


class RunStarted(Event):
    """A worker owns the run. `resumed_steps` > 0: that many finished steps are taken from the log, not asked again."""

    kind: ClassVar[str] = "run.started"
    fence: int
    worker: str
    code_version: str
    resumed_steps: int = 0


class RunImported(Event):
    """The run did not happen here: it was read from a file. `digest` is SHA-256 of the trajectory as read.

    `problem`, `model`, `strategy`, `language` and `solved` are the source's own words; `extra` holds every field of it
    that has no place in the lab's events. Token counts are the source's totals, None where each step has its own.
    """

    kind: ClassVar[str] = "run.imported"
    format: str
    digest: str
    problem: str
    model: str
    strategy: str
    language: str | None = None
    solved: bool | None = None
    outcome: str = ""
    agents_known: bool = True
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    calls: int | None = None
    provenance: dict[str, Any] = {}
    extra: dict[str, Any] = {}


class StepStarted(Event):
    """A model call begins. `request_digest` is what resume compares; `messages` is the exact prompt.

    `grammar`: what the answer was held to while it was decoded; "" in an unconstrained call.
    """

    kind: ClassVar[str] = "step.started"
    step: int
    role: str
    attempt: int
    gist: str = ""
    messages: list[dict[str, str]]
    template: str
    template_digest: str
    request_digest: str
    model: str
    sampling: dict[str, Any]
    grammar: str = ""
    detail: dict[str, Any] = {}


class ParseResult(BaseModel):
    """`failure` beside `usable`: the strict parser refuses this answer, the tolerant one rescued it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    usable: bool
    failure: str = ""
    message: str = ""
    where: str = ""
    value: Any = None


class StepFinished(Event):
    """The whole answer. Seconds are wall clock; `estimated` marks token counts the lab had to guess."""

    kind: ClassVar[str] = "step.finished"
    step: int
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    seconds: float
    first_token_s: float | None
    model: str
    adapter_digest: str | None
    parse: ParseResult
    gist: str = ""
    detail: dict[str, Any] = {}


class StepFailed(Event):
    kind: ClassVar[str] = "step.failed"
    step: int
    code: str
    message: str


class TestsStarted(Event):
    """The judge begins. Hidden tests' contents never enter an event's payload before the verdict, nor any prompt."""

    kind: ClassVar[str] = "tests.started"
    step: int
    attempt: int
    suite: Literal["samples", "hidden"]
    language: str
    code: str
    code_digest: str
    total: int


class TestsFinished(Event):
    """`report` is `solver.judge.Report.to_dict()`: one entry a test, the sandbox level and its reasons."""

    kind: ClassVar[str] = "tests.finished"
    step: int
    suite: Literal["samples", "hidden"]
    verdict: str
    passed: int
    total: int
    strip: str
    seconds: float
    report: dict[str, Any]


class Note(Event):
    """A decision of the strategy, e.g. the order in which plans are tried."""

    kind: ClassVar[str] = "note"
    name: str
    detail: dict[str, Any] = {}


class RunFinished(Event):
    """The only way to "ended". `status` is the run's final status, `reason` a code, `message` a sentence."""

    kind: ClassVar[str] = "run.finished"
    status: Literal["finished", "cancelled", "failed"]
    reason: str
    message: str = ""
    verdict: str = ""
    code: str | None = None
    attempt: int | None = None


class Rejudged(Event):
    """The program of an ended run was judged again; `before` is the verdict it had, which stands."""

    kind: ClassVar[str] = "run.rejudged"
    before: str
    verdict: str
    passed: int
    total: int
    strip: str
    report: dict[str, Any]


class RunBranched(Event):
    """The run is another's from step `step` on: earlier steps are the parent's own (their cost was paid there), and at
    `step` something was changed: the answer itself (`edit`), the prompt by a `feedback`, the models from there on
    (`models`), who answers that one step (`engine`), or nothing but the draw (`again`). Always the first event of such a run. `parent_seq` is how far the parent's log had come."""

    kind: ClassVar[str] = "run.branched"
    parent: int
    parent_seq: int
    at: int
    change: Literal["edit", "feedback", "models", "engine", "again"]
    frozen_steps: int
    actor: str = ""
    reason: str = ""


class OtherStep(BaseModel):
    """A step of another run, by that run's request id, which is the same in every lab."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    run: str = Field(min_length=1, max_length=64)
    step: int = Field(ge=1, lt=2**31)


class Preferred(BaseModel):
    """The value of a `prefer`: `this` is the step that the judgement is of. `names` say what the two were."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    choice: Literal["this", "other", "equal", "skip"]
    other: OtherStep
    left: Literal["this", "other"]
    role: str = Field(max_length=16)
    names: tuple[Annotated[str, Field(max_length=120)], Annotated[str, Field(max_length=120)]]


class Judged(Event):
    """What somebody says of a step, or of the run where `step` is None. Never changed: an `undo` names what it takes
    back by its key, and undoing an undo brings it back. `key` is the client's and unique within the run.

    `value` by verb: blame {"agent", "cause", "confidence"?, "flips"?, "trials"?}; accept {"role"}; reject {"code"};
    correct {"text", "branch"?}; comment {"text", "lines"?: [first, last]}; prefer is `Preferred`. `evidence` cites steps
    and lines: {"step", "lines"?, "quote"?, "known"}.
    """

    kind: ClassVar[str] = "judged"
    key: str
    step: int | None
    verb: Literal["blame", "accept", "reject", "correct", "comment", "prefer", "undo"]
    source: Literal["human", "supervisor", "replay", "rule"]
    actor: str
    value: dict[str, Any] = {}
    before: dict[str, Any] = {}
    reason: str = ""
    evidence: list[dict[str, Any]] = []
    undoes: str = ""

    @model_validator(mode="after")
    def _preference_is_whole(self) -> Judged:
        if self.verb == "prefer":
            Preferred.model_validate(self.value)
            if self.step is None:
                raise ValueError("a preference is of a step")
        return self


KINDS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        RunStarted,
        RunImported,
        StepStarted,
        StepFinished,
        StepFailed,
        TestsStarted,
        TestsFinished,
        Note,
        RunFinished,
        Rejudged,
        RunBranched,
        Judged,
    )
}


def parse(kind: str, payload: dict[str, Any]) -> Event:
    """The typed event of a stored row. KeyError on an unknown kind, ValidationError on a foreign payload."""
    return KINDS[kind].model_validate(payload)
