from django.urls import path

from training import adapter_pages, training_pages

urlpatterns = [
    path("training/", training_pages.overview, name="training"),
    path("training/new/", training_pages.new, name="training-new"),
    path("training/draft/", training_pages.draft_check, name="training-draft"),
    path("training/runs/<int:pk>/", training_pages.detail, name="training-run"),
    path("training/runs/<int:pk>/live/", training_pages.live_part, name="training-live"),
    path("training/runs/<int:pk>/<str:verb>/", training_pages.act, name="training-act"),
    path("training/adapters/evaluate/", adapter_pages.evaluate, name="adapters-evaluate"),
    path("training/adapters/promote/", adapter_pages.promote_all, name="adapters-promote"),
    path("training/adapters/import/", adapter_pages.import_one, name="adapter-import"),
    path("training/adapters/<int:pk>/", adapter_pages.detail, name="adapter"),
    path("training/adapters/<int:pk>/export.zip", adapter_pages.export, name="adapter-export"),
    path("training/adapters/<int:pk>/<str:verb>/", adapter_pages.act, name="adapter-act"),
    path("training/exams/<int:pk>/", adapter_pages.exam, name="exam"),
]
