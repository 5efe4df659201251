from tests.engines.conftest import tiny

__all__ = ["tiny"]
