"""`python -m tests.training.seed_lab`: a dataset version of right micro answers for every role, in the lab of MCL_VAR."""

from __future__ import annotations

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")
    django.setup()
    from tests.training.micro_rows import ROLES
    from tests.training.versions import micro_version

    for role in ROLES:
        print(micro_version(role, 64, 4))


if __name__ == "__main__":
    main()
