"""Real backbones: found, checked, fingerprinted and weighed before anything is loaded."""
