from django.contrib.auth import views as auth
from django.urls import include, path

urlpatterns = [
    path("api/", include("mcl_web.api_urls")),
    path("login/", auth.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("", include("solver.urls")),
    path("", include("solver.campaigns.urls")),
    path("", include("training.desk.urls")),
    path("", include("training.data_urls")),
    path("", include("training.run_urls")),
    path("", include("trajectories.exporters.urls")),
    path("", include("trajectories.urls")),
]
