"""The pages of the review desk: a queue, one step of it, and the one address to which every judgement goes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from training.desk import pair_look
from training.desk.look import look
from training.desk.people import actor_of
from training.desk.sayings import BadSaying, Saying, say
from trajectories.desk import hands, history, pairs, presets, queues
from trajectories.desk.models import Order, Pick, ReviewQueue
from trajectories.desk.queues import Queue
from trajectories.filters import BLAMED, RUN_FIELDS
from trajectories.models import Run, Step
from trajectories.zero import REFUSED, holds_zero

LONGEST_BODY = 400_000  # characters of one saying


def _queue(request: HttpRequest, known: list[ReviewQueue]) -> Queue:
    """The queue that the address names or describes; else the first."""
    given = request.GET
    if asked := queues.described(given):
        return asked
    name = given.get("queue", "")
    row = next((row for row in known if row.slug == name), None)
    if row is None and name:
        raise Http404(f"there is no queue {name!r}")
    return queues.stored(row or known[0])


@require_safe
@ensure_csrf_cookie
def desk(request: HttpRequest) -> HttpResponse:
    known, actor = presets.rows(), actor_of(request)
    queue = _queue(request, known)
    context: dict[str, Any] = {
        "queue": queue,
        "queues": [queues.stored(row) for row in known],
        "actor": actor,
        "reasons": presets.REASONS,
        "agents": BLAMED,
        "refused": queues.refused(queue),
        "picks": Pick.choices,
        "orders": Order.choices,
        "fields": RUN_FIELDS,
    }
    if not context["refused"]:
        context |= _waiting(request, queue, actor)
    context["progress"] = progress(actor)
    return render(request, "review/desk.html", context)


def _waiting(request: HttpRequest, queue: Queue, actor: str) -> dict[str, Any]:
    waiting = queues.items(queue, actor)
    left = queues.left(queue, actor)
    found: dict[str, Any] = {"items": waiting, "left": left, "more": left >= queues.COUNTED}
    asked = _asked(request.GET.get("at", ""))
    if asked and all((item.run.pk, item.step.number) != asked for item in waiting):
        step = Step.objects.filter(run=asked[0], number=asked[1]).select_related("run__problem").first()
        if step is not None and not (
            queue.pick.paired and not pairs.counterpart(step, queue.pick, queue.agent)
        ):
            waiting.insert(0, queues.one(step.run, step))
    found["held"] = hands.held([(item.run.pk, item.step.number) for item in waiting])
    if waiting:
        first = next((item for item in waiting if (item.run.pk, item.step.number) == asked), None)
        first = first or _free(waiting, found["held"], actor)
        found |= _item(first.run, first.step, queue, actor, take=True)
    return found


def _free(waiting: list[queues.Item], held: dict[Any, Any], actor: str) -> queues.Item:
    """The first item that nobody else has in hand."""
    free = (
        item
        for item in waiting
        if (lease := held.get((item.run.pk, item.step.number))) is None or lease.actor == actor
    )
    return next(free, waiting[0])


def _asked(text: str) -> tuple[int, int] | None:
    run, dash, step = text.partition("-")
    fine = dash and all(part.isascii() and part.isdigit() and len(part) < 10 for part in (run, step))
    return (int(run), int(step)) if fine else None


def _item(run: Run, step: Step, queue: Queue, actor: str, *, take: bool) -> dict[str, Any]:
    seen = (
        {"pair": pair_look.look(step, queue, actor)}
        if queue.pick.paired
        else {"look": look(run, step, queue, actor)}
    )
    return {
        **seen,
        "hold": hands.take(run.pk, step.number, actor) if take else None,
        "here": f"{run.pk}-{step.number}",
    }


def _step(run: int, number: int) -> Step:
    return get_object_or_404(
        Step.objects.select_related("run__problem", "run__branch_of"), run=run, number=number
    )


@require_safe
def item(request: HttpRequest, run: int, number: int) -> HttpResponse:
    """The middle of the desk for one step; fetched ahead, it takes no lease."""
    step, actor = _step(run, number), actor_of(request)
    queue = _queue(request, presets.rows())
    context = _item(step.run, step, queue, actor, take=False)
    context |= {"queue": queue, "actor": actor, "reasons": presets.REASONS}
    return render(request, "review/_pair.html" if queue.pick.paired else "review/_item.html", context)


@require_POST
def hold(request: HttpRequest, run: int, number: int) -> JsonResponse:
    """Take or renew the lease of the step being read."""
    taken = hands.take(run, _step(run, number).number, actor_of(request))
    return JsonResponse({"mine": taken.mine, "html": render_to_string("review/_hold.html", {"hold": taken})})


def progress(actor: str) -> dict[str, Any]:
    return {"done": history.done_today(actor), "median": history.median_seconds(actor)}


@require_POST
def say_it(request: HttpRequest) -> HttpResponse:
    """Every judgement of the desk. JSON from the script; a form without one, which leads back to the queue."""
    actor = actor_of(request)
    scripted = request.content_type == "application/json"
    try:
        given = _given(request, scripted, actor)
        outcome = say(given, actor)
    except AnotherActor as error:
        return JsonResponse({"error": str(error)}, status=403)
    except BadSaying as error:
        if scripted:
            return JsonResponse({"error": str(error)}, status=400)
        return render(request, "review/refused.html", {"error": str(error)}, status=400)
    queue = next((queues.stored(row) for row in presets.rows() if row.slug == given.queue), None)
    if not scripted:
        held = f"&at={given.run}-{given.step}&held=1" if outcome.held else ""
        return redirect(f"{reverse('review')}?{queue.query if queue else ''}{held}")
    toast = ""
    if outcome.row is not None:
        toast = render_to_string("review/_toast.html", {"row": outcome.row, "held": outcome.held})
    answer = {
        "held": outcome.held,
        "toast": toast,
        "sentence": outcome.sentence,
        "item": outcome.item,
        "met": outcome.met,
        "left": queues.left(queue, actor) if queue and not queues.refused(queue) else None,
        **progress(actor),
    }
    return JsonResponse(answer)


class AnotherActor(ValueError):
    """The page that says it was opened by somebody who is no longer signed in: it waits there for them."""


def _given(request: HttpRequest, scripted: bool, actor: str) -> Saying:
    if not scripted:
        return Saying.of({name: request.POST.get(name) for name in request.POST})
    if len(request.body) > LONGEST_BODY:
        raise BadSaying(f"A judgement has at most {LONGEST_BODY:,} bytes.")
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadSaying("The body is no JSON.") from error
    if not isinstance(data, dict):
        raise BadSaying("The body should be a JSON object.")
    if holds_zero(data):
        raise BadSaying(REFUSED)
    if data.get("actor", actor) != actor:
        raise AnotherActor(f"This was said by somebody else than {actor}, who is signed in now.")
    return Saying.of(data)


@require_POST
def save_queue(request: HttpRequest) -> HttpResponse:
    """Keep the filter of the address as a queue of its own."""
    given = request.POST
    queue = queues.described(given)
    title = given.get("title", "").strip()[:120]
    problem = "A queue needs a name." if not title else ""
    if queue is None:
        problem = "A queue needs a filter."
    elif error := queues.refused(queue):
        problem = str(error)
    if problem or queue is None:
        return render(request, "review/refused.html", {"error": problem}, status=400)
    order = Order(given["order"]) if given.get("order") in Order.values else Order.NEWEST
    blind = given.get("blind") == "on"
    queue = replace(queue, title=title, order=order, blind=blind, reviewers=2 if blind else 1)
    row = ReviewQueue.objects.create(
        slug=_slug(title),
        title=title,
        filter=queue.filter,
        pick=queue.pick,
        order=queue.order,
        agent=queue.agent,
        rubric=given.get("rubric", "").strip()[:4000] or presets.RUBRIC,
        blind=queue.blind,
        reviewers=queue.reviewers,
        created_by=actor_of(request),
    )
    return redirect(f"{reverse('review')}?queue={row.slug}")


def _slug(title: str) -> str:
    base = slugify(title)[:56] or "queue"
    taken = set(ReviewQueue.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(name for n in range(1, 10_000) if (name := base if n == 1 else f"{base}-{n}") not in taken)


@require_POST
def delete_queue(request: HttpRequest, slug: str) -> HttpResponse:
    """The queue goes; judgements made from it stay."""
    ReviewQueue.objects.filter(slug=slug).delete()
    return redirect("review")
