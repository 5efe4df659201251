"""The page that replays one agent in all failed runs of a list: how many these are, who answers, how often."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from solver import engine_book, many_runs, replays
from solver.branches import BranchRefused
from training import many_replays
from training.many_replays import Asked, Started
from trajectories.agents import AGENTS
from trajectories.expressions import BadExpression


@require_http_methods(["GET", "HEAD", "POST"])
def replay_many(request: HttpRequest) -> HttpResponse:
    """`?q=` and the other filters of the list of runs; POST with `agent`, `engine` (empty: the run's own) and `times`."""
    given = request.POST if request.method == "POST" else request.GET
    filters = many_runs.chosen(given)
    error = ""
    try:
        if request.method == "POST":
            try:
                return _start(request, filters)
            except BranchRefused as refused:
                error = str(refused)
        found = many_replays.suited(filters).aggregate(failed=Count("pk"), newest=Max("pk"))
    except BadExpression:
        return redirect(_address("runs", filters))  # the list shows what is wrong with the filter
    context: dict[str, Any] = {
        "chosen": filters,
        "failed": found["failed"],
        "newest": found["newest"] or 0,
        "agents": AGENTS,
        "agent": given.get("agent", "planning"),
        "engines": engine_book.all_engines(),
        "engine": given.get("engine", ""),
        "times": given.get("times", "1"),
        "most": replays.MOST,
        "at_once": many_replays.AT_ONCE,
        "error": error,
        "list_address": _address("runs", filters),
        "acts_address": _address("runs-acts", filters),
    }
    return render(request, "review/replay_many.html", context, status=422 if error else 200)


def _start(request: HttpRequest, filters: dict[str, str]) -> HttpResponse:
    """Raises BadExpression and BranchRefused."""
    newest, times = (_number(request, name) for name in ("newest", "times"))
    if newest is None or times is None:
        raise BranchRefused("How often should be a number; nothing was started.")
    agent, engine = (request.POST.get(name, "").replace("\0", "")[:64] for name in ("agent", "engine"))
    done = many_replays.start(
        filters,
        newest,
        Asked(agent, engine, times),
        actor=request.user.get_username(),
    )
    messages.info(request, told(done, agent))
    return redirect(f"{reverse('runs')}?q=is:branch" if done.replays else _address("runs-replay", filters))


def told(done: Started, agent: str) -> str:
    words = ["No replay was started."]
    if done.replays:
        begun = f"{_count(done.replays, 'replay')} of {_count(done.runs, 'run')} queued: {agent} is asked anew, and what follows."
        words = [begun, "What they show appears on each run and in the counterfactual blame map as they end."]
    if done.had:
        words.append(f"{_count(done.had, 'run')} had these replays already.")
    if done.without:
        words.append(f"In {_count(done.without, 'run')} {agent} has finished no step.")
    if done.imported:
        words.append(
            f"{_count(done.imported, 'imported run')} left out: choose an engine that goes on from the agent."
        )
    if done.refused:
        words.append(f"{_count(len(done.refused), 'run')} could not be replayed: {done.refused[0]}")
    if done.left:
        words.append(f"{_count(done.left, 'run')} more wait: do it again for the next ones.")
    return " ".join(words)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _number(request: HttpRequest, name: str) -> int | None:
    given = request.POST.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


def _address(name: str, filters: dict[str, str]) -> str:
    return f"{reverse(name)}?{urlencode(filters)}" if filters else reverse(name)
