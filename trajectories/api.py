"""The JSON API of the record: problems, runs and their events. What a page shows can be read here too."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from trajectories import eventlog
from trajectories.events import StepFinished
from trajectories.models import Problem, Run, StepEvent

PAGE = 100


class BadQuery(serializers.ValidationError):
    """A query parameter that makes no sense."""


def whole(request: Request, name: str, default: int, high: int = 2**31) -> int:
    """A non-negative whole number from the query string. Raises BadQuery (400)."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= high):
        raise BadQuery({name: [f"{text[:20]!r} is not a whole number from 0 to {high}."]})
    return int(text)


class ProblemSerializer(serializers.ModelSerializer[Problem]):
    tags = serializers.ListField(source="tag_names", child=serializers.CharField(), read_only=True)

    class Meta:
        model = Problem
        fields = [
            *("id", "external_id", "version", "source", "title", "difficulty", "tags", "test_kind"),
            *("sample_count", "test_count", "licence", "split", "digest", "superseded_at"),
        ]
        read_only_fields = fields


class MoneySerializer(serializers.Serializer[Any]):
    """Decimals as text, of those `calls` that had a price. `saved` is what the answers that were stored would have cost."""

    amount = serializers.CharField()
    saved = serializers.CharField()
    currency = serializers.CharField()
    calls = serializers.IntegerField()


class StoredSerializer(serializers.Serializer[Any]):
    """Steps answered from the store, and between which moments the engine had been asked for them."""

    steps = serializers.ListField(child=serializers.IntegerField())
    asked_first = serializers.CharField(allow_null=True)
    asked_last = serializers.CharField(allow_null=True)


class RunSerializer(serializers.ModelSerializer[Run]):
    cost = serializers.SerializerMethodField(help_text="null: no call had a price, which is not a cost of 0")

    @extend_schema_field(MoneySerializer(allow_null=True))
    def get_cost(self, run: Run) -> dict[str, str | int] | None:
        if not run.currency:
            return None
        return {
            "amount": f"{run.cost:f}",
            "saved": f"{run.saved:f}",
            "currency": run.currency,
            "calls": run.priced_calls,
        }

    class Meta:
        model = Run
        fields = [
            *(
                "id",
                "problem",
                "strategy",
                "params",
                "engine",
                "engine_name",
                "seed",
                "language",
                "judge_profile",
            ),
            *("status", "reason", "message", "verdict", "strip", "passed", "total", "judge_level"),
            *(
                "step_count",
                "calls",
                "prompt_tokens",
                "completion_tokens",
                "format_failures",
                "model_seconds",
                "cost",
            ),
            *("last_seq", "fence", "code_version", "created_at", "started_at", "finished_at"),
        ]
        read_only_fields = fields


class RunDetailSerializer(RunSerializer):
    stored_answers = serializers.SerializerMethodField()

    @extend_schema_field(StoredSerializer)
    def get_stored_answers(self, run: Run) -> dict[str, Any]:
        """Each step's own `step.finished` event has its cost, its price's day and when it was asked under `detail`."""
        finished = StepEvent.objects.filter(run=run, kind=StepFinished.kind)
        told = list(
            finished.filter(payload__detail__has_key="stored")
            .order_by("seq")
            .values_list("step", "payload__detail__stored__asked_at")
        )
        moments = sorted(str(moment) for _, moment in told if moment)
        return {
            "steps": [step for step, _ in told],
            "asked_first": moments[0] if moments else None,
            "asked_last": moments[-1] if moments else None,
        }

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "stored_answers"]
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer[StepEvent]):
    class Meta:
        model = StepEvent
        fields = ["seq", "kind", "step", "payload", "created_at"]
        read_only_fields = fields


class PageOf(serializers.Serializer[Any]):
    """`next` is the value of `after` that continues the list, or null at its end."""

    next = serializers.IntegerField(allow_null=True)


class ProblemPage(PageOf):
    problems = ProblemSerializer(many=True)


class RunPage(PageOf):
    runs = RunSerializer(many=True)


class EventPage(PageOf):
    events = EventSerializer(many=True)


WHOLE = {"type": "integer", "minimum": 0, "maximum": 2**31}
WORD = {"type": "string", "pattern": r"^[^\x00]*$"}  # a zero character is refused wherever it stands
AFTER = OpenApiParameter("after", WHOLE, description="continue after this id or sequence number")


def _page(
    rows: list[Any], key: str, serializer: type[serializers.BaseSerializer[Any]], cursor: str = "pk"
) -> Response:
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    data = serializer(rows, many=True).data
    return Response({key: data, "next": getattr(rows[-1], cursor) if more else None})


class Problems(APIView):
    @extend_schema(parameters=[AFTER, OpenApiParameter("source", WORD)], responses=ProblemPage)
    def get(self, request: Request) -> Response:
        found: QuerySet[Problem] = (
            Problem.objects.current().filter(pk__gt=whole(request, "after", 0)).order_by("pk")
        )
        if source := request.query_params.get("source"):
            found = found.filter(source=source)
        return _page(list(found.prefetch_related("tags")[: PAGE + 1]), "problems", ProblemSerializer)


class ProblemDetail(APIView):
    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        """The full problem; hidden tests only with `?tests=1`."""
        problem = get_object_or_404(Problem.objects.select_related("body").prefetch_related("tags"), pk=pk)
        spec = dict(problem.body.spec)
        if request.query_params.get("tests") != "1":
            spec.pop("tests")
        return Response({**ProblemSerializer(problem).data, "spec": spec})


class Runs(APIView):
    @extend_schema(
        parameters=[AFTER, OpenApiParameter("problem", WHOLE), OpenApiParameter("status", WORD)],
        responses=RunPage,
    )
    def get(self, request: Request) -> Response:
        """Newest first; `after` is the id of the last run seen."""
        found = Run.objects.order_by("-pk")
        if after := whole(request, "after", 0):
            found = found.filter(pk__lt=after)
        if problem := whole(request, "problem", 0):
            found = found.filter(problem_id=problem)
        if status := request.query_params.get("status"):
            found = found.filter(status=status)
        return _page(list(found[: PAGE + 1]), "runs", RunSerializer)


class RunDetail(APIView):
    @extend_schema(responses=RunDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(RunDetailSerializer(get_object_or_404(Run, pk=pk)).data)


class RunEvents(APIView):
    @extend_schema(parameters=[AFTER], responses=EventPage)
    def get(self, request: Request, pk: int) -> Response:
        """The event log after a sequence number: the same rows that the live stream carries."""
        get_object_or_404(Run, pk=pk)
        return _page(
            eventlog.read_after(pk, whole(request, "after", 0), PAGE + 1), "events", EventSerializer, "seq"
        )
