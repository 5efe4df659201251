from django.urls import path

from trajectories.exporters import pages

urlpatterns = [path("runs/<int:pk>/export/<slug:format>/", pages.export_run, name="run-export")]
