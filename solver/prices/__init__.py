"""Price tables of engines, and the cost of every call."""
