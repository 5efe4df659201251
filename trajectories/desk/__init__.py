"""The review desk's own half of the record: queues, leases, undo across steps, progress, blame as a map."""
