from django.urls import path

from trajectories import compare_pages, completion, long_run, pages, reader, step_pages, upload

urlpatterns = [
    path("go/", pages.go, name="go"),
    path("problems/", pages.problem_list, name="problems"),
    path("problems/import/", upload.import_problems, name="import-problems"),
    path("views/", reader.views, name="views"),
    path("views/star/", reader.star, name="star"),
    path("views/<int:pk>/unstar/", reader.unstar, name="unstar"),
    path("keys/", reader.keys, name="keys"),
    path("complete/<str:name>/", completion.complete, name="complete"),
    path("compare/", compare_pages.compare, name="compare"),
    path("compare/take/", compare_pages.take, name="compare-take"),
    path("runs/", pages.run_list, name="runs"),
    path("runs/<int:pk>/", pages.run_detail, name="run"),
    path("runs/<int:pk>/patches/", pages.run_patches, name="run-patches"),
    path("runs/<int:pk>/headers/", long_run.run_headers, name="run-headers"),
    path("runs/<int:pk>/find/", long_run.find, name="run-find"),
    path("runs/<int:pk>/steps/<int:number>/", step_pages.run_step, name="run-step"),
    path("runs/<int:pk>/steps/<int:number>/said/", step_pages.said, name="run-said"),
    path("runs/<int:pk>/steps/<int:number>/copy/<str:form>/", step_pages.copied, name="run-copy"),
    path("runs/<int:pk>/steps/<int:number>/cases/<int:test>/", step_pages.run_case, name="run-case"),
]
