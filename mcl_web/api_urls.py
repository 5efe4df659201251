"""Routes of the JSON API. The OpenAPI document at /api/schema/ is generated from them."""

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView

from solver import api as solver
from trajectories import api as trajectories


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """A client of the API gets JSON for a wrong address too."""
    return JsonResponse(
        {"detail": f"There is nothing at {request.path}; /api/schema/ lists what there is."}, status=404
    )


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
    re_path("", not_found),
]
