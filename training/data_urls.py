from django.urls import path

from training import example_pages, many_replay_pages, practice
from training.datasets import pages as datasets
from training.distillation import pages as distillation
from training.supervision import pages as supervision

_VERSION = "datasets/<str:role>/v<int:number>/"

urlpatterns = [
    path("examples/", example_pages.pool, name="examples"),
    path("examples/import/", datasets.import_examples, name="examples-import"),
    path("examples/decide/", example_pages.decide, name="examples-decide"),
    path("examples/<int:pk>/", example_pages.detail, name="example"),
    path("examples/<int:pk>/<str:verb>/", example_pages.act, name="example-act"),
    path("datasets/", datasets.versions, name="datasets"),
    path("datasets/new/", datasets.new, name="dataset-new"),
    path("datasets/diff/", datasets.difference, name="dataset-diff"),
    path(_VERSION, datasets.detail, name="dataset"),
    path(f"{_VERSION}tokens/", datasets.tokens_page, name="dataset-tokens"),
    path(f"{_VERSION}progress/", datasets.progress_part, name="dataset-progress"),
    path(f"{_VERSION}export/<str:form>/", datasets.export, name="dataset-export"),
    path(f"{_VERSION}<str:verb>/", datasets.act, name="dataset-act"),
    path("distillation/", distillation.jobs, name="distillation"),
    path("distillation/new/", distillation.new, name="distillation-new"),
    path("distillation/practice/", practice.make, name="distillation-practice"),
    path("distillation/<int:pk>/", distillation.detail, name="distillation-job"),
    path("distillation/<int:pk>/progress/", distillation.progress_part, name="distillation-progress"),
    path("runs/replay-an-agent/", many_replay_pages.replay_many, name="runs-replay"),
    path("supervision/new/", supervision.new, name="supervision-new"),
    path("supervision/<int:pk>/", supervision.detail, name="supervision"),
    path("supervision/<int:pk>/progress/", supervision.progress_part, name="supervision-progress"),
    path("supervision/<int:pk>/<str:verb>/", supervision.act, name="supervision-act"),
]
