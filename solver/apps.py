from django.apps import AppConfig


class SolverConfig(AppConfig):
    name = "solver"
    default_auto_field = "django.db.models.BigAutoField"
