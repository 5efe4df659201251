"""The lab's own problems, written, generated and walked through here, so that it is never empty."""
