"""One run as a file: the lab's own lines, OpenTelemetry, one HTML page, Markdown. Pure functions from a run to text."""
