"""One problem a module; `starter.source` says what a module must define."""
