"""`manage.py solve PROBLEM`: one run in the terminal, recorded like any other and open in the browser afterwards."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from threading import Thread
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from solver import engine_book, runs
from trajectories import eventlog
from trajectories.api import RunSerializer
from trajectories.figures import Bar, figures
from trajectories.models import Problem, Run, Step
from trajectories.terminal_files import require_writable
from trajectories.verdicts import WORD


class Command(BaseCommand):
    help = "Solve one problem and print what each agent did. Exit status 0 when accepted, 1 when not, 2 on bad use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "problem", help="a problem's id in the lab, or its external id such as starter/two-towers"
        )
        parser.add_argument(
            "--strategy", default="mapcoder", help="docs/reference/agents.md lists them (mapcoder)"
        )
        parser.add_argument(
            "--engine", help="its name, as engine list shows it (default: the one that suits the problem)"
        )
        parser.add_argument("--language", default="python", help="of the program, such as cpp (python)")
        parser.add_argument(
            "--judge-profile", default="strict", help="rules of the judge: docs/judge.md (strict)"
        )
        parser.add_argument("--seed", type=int, default=0, help="a part of every request (0)")
        parser.add_argument("-k", type=int, help="exemplars, one plan each (MapCoder: 3)")
        parser.add_argument("-t", type=int, help="repair rounds a plan (MapCoder: 5)")
        parser.add_argument(
            "--param",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="any other parameter of the strategy",
        )
        parser.add_argument(
            "--no-adapter", action="append", default=[], metavar="ROLE", help="serve this role by the base"
        )
        parser.add_argument("--ask-anew", action="store_true", help="use and keep no stored answers")
        parser.add_argument(
            "--constrained", action="store_true", help="hold every answer to the grammar of its form"
        )
        parser.add_argument(
            "--json", nargs="?", const="-", metavar="FILE", help="write the run and its events as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        problem = find_problem(options["problem"])
        run = self._start(problem, options)
        to_stdout = options["json"] == "-"
        console = Console(stderr=to_stdout)
        # The run's own thread: this one draws. The work itself is exactly what a worker does.
        worker = Thread(target=_execute, args=(run.pk,), name="solve")
        worker.start()
        try:
            _watch(run.pk, worker, console)
        except KeyboardInterrupt:
            runs.cancel(run.pk)
            worker.join()
        run.refresh_from_db()
        _summary(run, console)
        if options["json"]:
            _write_json(run, options["json"])
        if not run.solved:
            sys.exit(1)

    def _start(self, problem: Problem, options: dict[str, Any]) -> Run:
        engine = options["engine"]
        if engine is None:
            suited = engine_book.default_engine(problem)
            if suited is None:
                raise CommandError("No engine is configured; add one: manage.py engine add --help")
            engine = suited.name
        params = {name: options[name] for name in ("k", "t") if options[name] is not None}
        params |= dict(pair.partition("=")[::2] for pair in options["param"])
        try:
            return runs.start(
                problem,
                engine=engine,
                strategy=options["strategy"],
                params=params,
                seed=options["seed"],
                language=options["language"],
                judge_profile=options["judge_profile"],
                adapters=dict.fromkeys(options["no_adapter"], False),
                ask_anew=options["ask_anew"],
                constrained=options["constrained"],
                created_by="terminal",
                publish_to_workers=False,
            )
        except runs.StartRefused as error:
            raise CommandError(str(error), returncode=2) from None


def find_problem(name: str) -> Problem:
    """By number, external id, or a unique part of the external id or title. Raises CommandError."""
    current = Problem.objects.current()
    exact = current.filter(pk=int(name)) if name.isdigit() else current.filter(external_id=name)
    if problem := exact.first():
        return problem
    near = list(current.filter(external_id__icontains=name)[:6]) or list(
        current.filter(title__icontains=name)[:6]
    )
    if len(near) == 1:
        return near[0]
    hint = (
        f" Did you mean one of: {', '.join(p.external_id for p in near)}?"
        if near
        else " The Problems page lists them."
    )
    raise CommandError(f"There is no problem {name!r}.{hint}", returncode=2)


def _execute(run_id: int) -> None:
    try:
        runs.execute(run_id, "terminal")
    finally:
        connection.close()


def _watch(run_id: int, worker: Thread, console: Console) -> None:
    """Print each step as it ends; the running one turns below."""
    columns = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
    shown = 0
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting")
        while True:
            alive = worker.is_alive()
            for step in (
                Step.objects.filter(run_id=run_id, number__gt=shown)
                .exclude(state="running")
                .order_by("number")
            ):
                console.print(_line(step), highlight=False, markup=False)
                shown = step.number
                progress.reset(task)
            running = Step.objects.filter(run_id=run_id, state="running").order_by("-number").first()
            progress.update(task, description=f"{running.role} {running.gist}" if running else "working")
            if not alive:
                return
            worker.join(0.15)


def _line(step: Step) -> str:
    if step.role == "judge":
        what = f"{WORD[step.verdict]} {step.passed}/{step.total} {step.suite}"
    else:
        what = f"{step.prompt_tokens:>6} in {step.completion_tokens:>5} out  {step.gist}"
    flag = f"  [{step.format_failure}]" if step.format_failure else ""
    return f"s{step.number:<3} {step.role:<11} {step.seconds:6.2f} s  {what}{flag}"


def _summary(run: Run, console: Console) -> None:
    verdict = WORD[run.verdict] if run.verdict else run.status
    tests = f" {run.passed}/{run.total} hidden tests" if run.total else ""
    console.print(
        f"run {run.pk}: {verdict}{tests}; {run.calls} calls, {run.prompt_tokens} + {run.completion_tokens} tokens, "
        f"engine {run.engine.get('label', run.engine_name)}, judge level {run.judge_level or 'not used'}",
        markup=False,
    )
    if run.message:
        console.print(run.message, markup=False)


def _write_json(run: Run, target: str) -> None:
    events = [
        {"seq": event.seq, "kind": event.kind, "payload": event.payload}
        for event in eventlog.read_all(run.pk)
    ]
    passed = Bar(
        "hidden tests passed", run.passed / run.total if run.total else 0.0, "share", 1.0, "min", run.total
    )
    steps = (
        "number",
        "role",
        "attempt",
        "verdict",
        "passed",
        "total",
        "prompt_tokens",
        "completion_tokens",
        "seconds",
    )
    rows = list(run.steps.values(*steps))
    told = figures("solve", [passed], rows, run=RunSerializer(run).data, events=events)
    text = json.dumps(told, indent=1, ensure_ascii=False)
    if target == "-":
        sys.stdout.write(text + "\n")
    else:
        Path(target).write_text(text + "\n", encoding="utf-8")
