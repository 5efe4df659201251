"""The JSON API's verbs: start, cancel and retry runs; engines; the doctor; problem import."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from solver import doctor, engine_book, runs
from trajectories import api
from trajectories.api import RunSerializer
from trajectories.models import Problem, Run

OBJECTS = {"type": "array", "items": {"type": "object"}}


class StartRun(serializers.Serializer[Any]):
    problem = serializers.IntegerField(min_value=1)
    engine = serializers.CharField(max_length=64)
    strategy = serializers.CharField(max_length=32, default="mapcoder")
    params = serializers.DictField(default=dict)
    seed = serializers.IntegerField(default=0, min_value=-(2**31), max_value=2**31 - 1)
    language = serializers.CharField(max_length=16, default="python")
    judge_profile = serializers.CharField(max_length=16, default="strict")
    adapters = serializers.DictField(child=serializers.BooleanField(), default=dict)
    ask_anew = serializers.BooleanField(default=False)
    constrained = serializers.BooleanField(default=False)
    request_id = serializers.CharField(max_length=64, default="", allow_blank=True)


class Done(serializers.Serializer[Any]):
    done = serializers.BooleanField()


class Runs(api.Runs):
    @extend_schema(request=StartRun, responses={201: RunSerializer})
    def post(self, request: Request) -> Response:
        """Queue a run. The same `request_id` twice starts one run."""
        asked = StartRun(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        problem = Problem.objects.filter(pk=fields.pop("problem")).first()
        if problem is None:
            raise serializers.ValidationError({"problem": ["There is no such problem."]})
        try:
            run = runs.start(problem, created_by=request.user.get_username(), **fields)
        except runs.StartRefused as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from None
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


class CancelRun(APIView):
    @extend_schema(request=None, responses=Done)
    def post(self, request: Request, pk: int) -> Response:
        get_object_or_404(Run, pk=pk)
        return Response({"done": runs.cancel(pk)})


class RetryRun(APIView):
    @extend_schema(request=None, responses=Done)
    def post(self, request: Request, pk: int) -> Response:
        get_object_or_404(Run, pk=pk)
        return Response({"done": runs.retry(pk)})


class Engines(APIView):
    @extend_schema(responses={200: OBJECTS})
    def get(self, request: Request) -> Response:
        return Response([spec.public() for spec in engine_book.all_engines()])


class Doctor(APIView):
    @extend_schema(responses={200: OBJECTS})
    def get(self, request: Request) -> Response:
        return Response([finding.to_dict() for finding in doctor.collect()])
