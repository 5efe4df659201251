"""The Engines page and its verbs: test, add, edit, remove, start, drain, stop, price, forget answers."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from solver import connection_test, engine_book, engine_form, engine_page
from solver.answers import tally
from solver.engines.prices import BadPrice, Price
from solver.engines.spec import EngineKind, EngineSpec
from solver.models import EngineTest
from solver.prices import book
from solver.serving import wishes
from solver.serving.models import Wanted

WISHES = {"start": Wanted.RUNNING, "drain": Wanted.DRAINED, "stop": Wanted.STOPPED}


@require_safe
def engines(request: HttpRequest) -> HttpResponse:
    cards = engine_page.cards()
    return render(request, "solver/engines.html", {"cards": cards, "busy": any(card.busy for card in cards)})


@require_POST
def test_engine(request: HttpRequest, name: str) -> HttpResponse:
    """Ask the engine to do what it is said to do; every answer is kept and shown."""
    spec = _spec(name)
    checks = [asdict(check) for check in connection_test.thorough(spec)]
    EngineTest.objects.update_or_create(name=name, defaults={"checks": checks, "digest": spec.digest()})
    return _back(name)


def new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _form(request, engine_form.blank())
    try:
        spec = engine_form.save(request.POST)
    except engine_form.EngineRefused as error:
        return _form(request, engine_form.refused(request.POST, error, editing=None), 422)
    return _back(spec.name)


def edit(request: HttpRequest, name: str) -> HttpResponse:
    spec = _spec(name)
    if name in engine_book.shipped() or spec.kind is not EngineKind.OPENAI:
        raise Http404(f"{name} is not edited in the browser; see manage.py engine add --file")
    if request.method != "POST":
        return _form(request, engine_form.of(spec))
    try:
        engine_form.save(request.POST, spec)
    except engine_form.EngineRefused as error:
        return _form(request, engine_form.refused(request.POST, error, editing=spec), 422)
    return _back(name)


def _form(request: HttpRequest, form: engine_form.EngineForm, status: int = 200) -> HttpResponse:
    return render(request, "solver/engine_edit.html", {"form": form}, status=status)


@require_POST
def act(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    spec = _spec(name)
    if verb in WISHES:
        if not wishes.want(name, WISHES[verb]):
            messages.error(request, f"The lab does not run {name} itself, so it cannot {verb} it.")
    elif verb == "remove":
        if not engine_form.remove(name):
            messages.error(request, f"{name} came with the lab and cannot be removed.")
            return _back(name)
        messages.info(request, f"{name} was removed; runs that used it keep their copy of its settings.")
        return redirect("engines")
    elif verb == "forget":
        messages.info(request, f"{tally.clear(name):,} stored answers of {name} were forgotten.")
    elif verb == "price":
        _price(request, spec)
    elif verb == "unprice":
        given = request.POST.get("price", "")
        if given.isascii() and given.isdigit() and len(given) < 19:
            book.remove(spec, int(given))
    else:
        raise Http404(f"no such verb: {verb}")
    return _back(name)


def _price(request: HttpRequest, spec: EngineSpec) -> None:
    given = {name: request.POST.get(name, "").strip() for name in Price.model_fields}
    try:
        book.add(spec, Price.parse({name: value for name, value in given.items() if value}))
    except BadPrice as error:
        messages.error(request, str(error))


def _spec(name: str) -> EngineSpec:
    try:
        return engine_book.get(name)
    except engine_book.UnknownEngine as error:
        raise Http404(str(error)) from None


def _back(name: str) -> HttpResponse:
    return redirect(f"{reverse('engines')}#{name}")
