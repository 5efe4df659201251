"""Engines that the lab starts, tends and stops itself."""
