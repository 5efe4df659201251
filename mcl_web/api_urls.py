"""Routes of the JSON API. The OpenAPI document at /api/schema/ is generated from them."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from solver import api as solver
from trajectories import api as trajectories

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("problems/", trajectories.Problems.as_view()),
    path("problems/<int:pk>/", trajectories.ProblemDetail.as_view()),
    path("runs/", solver.Runs.as_view()),
    path("runs/<int:pk>/", trajectories.RunDetail.as_view()),
    path("runs/<int:pk>/events/", trajectories.RunEvents.as_view()),
    path("runs/<int:pk>/cancel/", solver.CancelRun.as_view()),
    path("runs/<int:pk>/retry/", solver.RetryRun.as_view()),
    path("engines/", solver.Engines.as_view()),
    path("doctor/", solver.Doctor.as_view()),
]
