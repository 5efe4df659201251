"""Supervisor-guided correction (MapCoder-Lite section 3.2): vote, blame, redo the blamed agent alone, keep what passes."""
