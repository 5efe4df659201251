from django.urls import path

from solver import engine_pages, export_pages, many_pages, pages, random_problem, replay_pages
from solver.rejudging import pages as rejudging_pages

urlpatterns = [
    path("problems/<int:pk>/", pages.problem, name="problem"),
    path("problems/<int:pk>/solve/", pages.solve, name="solve"),
    path("runs/<int:pk>/cancel/", pages.cancel, name="run-cancel"),
    path("runs/<int:pk>/retry/", pages.retry, name="run-retry"),
    path("runs/<int:pk>/steps/<int:number>/replays/", replay_pages.step_replays, name="run-replays"),
    path("runs/<int:pk>/judge-again/", rejudging_pages.start_one, name="run-judge-again"),
    path("judged-again/", rejudging_pages.rejudgings, name="rejudgings"),
    path("judged-again/new/", rejudging_pages.start, name="rejudging-start"),
    path("judged-again/<int:pk>/", rejudging_pages.rejudging, name="rejudging"),
    path("judged-again/<int:pk>/cancel/", rejudging_pages.cancel, name="rejudging-cancel"),
    path("runs/all/", many_pages.acts, name="runs-acts"),
    path("runs/all/<slug:verb>/", many_pages.act, name="runs-act"),
    path("exports/", export_pages.exports, name="exports"),
    path("exports/new/", export_pages.start, name="export-start"),
    path("exports/<int:pk>/runs.zip", export_pages.download, name="export-download"),
    path("exports/<int:pk>/<str:verb>/", export_pages.act, name="export-act"),
    path("problems/random/", random_problem.make, name="random-problem"),
    path("engines/", engine_pages.engines, name="engines"),
    path("engines/new/", engine_pages.new, name="engine-new"),
    path("engines/<str:name>/test/", engine_pages.test_engine, name="engine-test"),
    path("engines/<str:name>/edit/", engine_pages.edit, name="engine-edit"),
    path("engines/<str:name>/<slug:verb>/", engine_pages.act, name="engine-act"),
    path("system/", pages.system, name="system"),
]
