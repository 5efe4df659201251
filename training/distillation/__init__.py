"""Pass-based trajectory distillation (MapCoder-Lite section 3.1): a strong model's answers, kept where the program passes."""
