from django.urls import path

from training.supervision import pages as supervision

urlpatterns = [
    path("distillation/", supervision.jobs, name="distillation"),
    path("supervision/new/", supervision.new, name="supervision-new"),
    path("supervision/<int:pk>/", supervision.detail, name="supervision"),
    path("supervision/<int:pk>/progress/", supervision.progress_part, name="supervision-progress"),
    path("supervision/<int:pk>/<str:verb>/", supervision.act, name="supervision-act"),
]
