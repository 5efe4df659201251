"""Dataset versions: what goes in, what is left out and why, how two differ, and the files that others read."""
