#!/usr/bin/env python
"""Entry point of every command: `manage.py up`, `doctor`, `solve`, `import_problems`, ..."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        from django.conf import settings

        from mcl_web import lab_engines

        lab_engines.find(settings.VAR_DIR)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a bad setting is the user's to mend: a sentence, no traceback
        sys.exit(str(error))


if __name__ == "__main__":
    main()
