"""Queues that exist from the start, and what counts as a fault of each agent: the rubric beside the form."""

from __future__ import annotations

from trajectories.desk.models import Order, Pick, ReviewQueue

RUBRIC = """When two agents err, blame the first whose repair alone would flip the verdict.
A right plan that was coded badly is a coding fault. A wrong verdict of the tests is nobody's fault."""
FAULTS: dict[str, tuple[str, ...]] = {
    "retrieval": (
        "The recalled problems lead away from the algorithm that is needed.",
        "The algorithm named is not the one that solves this problem.",
        "What is recalled is wrong in itself.",
    ),
    "planning": (
        "The plan would fail even if it were coded perfectly.",
        "A constraint of the statement is missing from the plan.",
        "Its cost is above the limit for the largest input.",
    ),
    "coding": (
        "The plan is right and the program does not do what it says.",
        "The program fails on the plan's own edge cases: bounds, overflow, empty input.",
        "It reads or prints another format than the statement asks for.",
    ),
    "debugging": (
        "The failing test shows the fault and the repair does not touch it.",
        "The repair breaks what was right.",
        "The same program comes back unchanged.",
    ),
}
REASONS: tuple[tuple[str, str], ...] = (
    ("wrong", "Wrong answer or method"),
    ("incomplete", "Something is missing"),
    ("format", "Not in the agent's format"),
    ("too-slow", "Too slow for the limits"),
    ("special-case", "Fits the samples only"),
    ("leak", "Uses what the agent could not know"),
    ("unclear", "Hard to learn from"),
    ("duplicate", "Teaches nothing new"),
    ("other", "Another reason"),
)
BETTER = """Which would you rather have the agent say? Judge what is written: a right method first, then what makes it
fail or holds it together, then clarity. Say equal where you would not mind either."""
A_OR_B: tuple[dict[str, object], ...] = (
    {
        "slug": "a-or-b",
        "title": "A or B: one question, two answers",
        "filter": "is:branch",
        "pick": Pick.CHANGE,
        "blind": True,
        "rubric": BETTER,
    },
    {
        "slug": "a-or-b-runs",
        "title": "A or B: two runs of one problem",
        "filter": "is:judged -is:branch",
        "pick": Pick.RUNS,
        "blind": True,
        "rubric": BETTER,
    },
)
PRESETS: tuple[dict[str, object], ...] = (
    {
        "slug": "failed",
        "title": "Failed, nobody has blamed",
        "filter": "is:failed -is:branch",
        "rubric": RUBRIC,
    },
    {
        "slug": "unconfirmed",
        "title": "Blamed by the supervisor, not confirmed",
        "filter": "is:failed is:blamed -is:confirmed",
        "order": Order.SURE,
        "rubric": RUBRIC,
    },
    {
        "slug": "corrections",
        "title": "Corrections that pass, not accepted",
        "filter": "is:correction is:solved",
        "pick": Pick.CORRECTION,
        "rubric": "Accept what the agent itself could have written from its own prompt, and what is worth repeating.",
    },
    {
        "slug": "second-pass",
        "title": "Second pass for calibration",
        "filter": "is:failed is:confirmed",
        "order": Order.OLDEST,
        "blind": True,
        "reviewers": 2,
        "rubric": RUBRIC,
    },
    {
        "slug": "candidates",
        "title": "Steps of accepted runs",
        "filter": "is:solved -split:test -is:branch",
        "pick": Pick.EVERY,
        "rubric": "Accept answers that you would want the small agent to give.",
    },
    *A_OR_B,
)


def rows() -> list[ReviewQueue]:
    """All queues; the first call in a new lab makes the usual ones."""
    found = list(ReviewQueue.objects.all())
    if found:
        return found
    made = [ReviewQueue(position=place, **preset) for place, preset in enumerate(PRESETS, start=1)]
    ReviewQueue.objects.bulk_create(made, ignore_conflicts=True)
    return list(ReviewQueue.objects.all())
