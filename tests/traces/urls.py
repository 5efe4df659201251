from django.urls import include, path

urlpatterns = [path("", include("trajectories.exporters.urls")), path("", include("mcl_web.urls"))]
