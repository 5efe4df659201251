from django.urls import path

from solver import pages, random_problem, replay_pages

urlpatterns = [
    path("problems/<int:pk>/", pages.problem, name="problem"),
    path("problems/<int:pk>/solve/", pages.solve, name="solve"),
    path("runs/<int:pk>/cancel/", pages.cancel, name="run-cancel"),
    path("runs/<int:pk>/retry/", pages.retry, name="run-retry"),
    path("runs/<int:pk>/steps/<int:number>/replays/", replay_pages.step_replays, name="run-replays"),
    path("problems/random/", random_problem.make, name="random-problem"),
    path("engines/", pages.engines, name="engines"),
    path("engines/<str:name>/test/", pages.test_engine, name="engine-test"),
    path("system/", pages.system, name="system"),
]
