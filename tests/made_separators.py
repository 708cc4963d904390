"""Separators whose answers are known, for what measures separators."""

import numpy as np


class Known:
    """Gives back what it was told to, whatever it hears."""

    def __init__(self, answer):
        self.answer = answer

    def separate(self, mixture, query, progress=None):
        queries = [query] if isinstance(query, str) else query
        estimates = np.stack([self.answer(mixture, words) for words in queries])
        return estimates[0] if isinstance(query, str) else estimates
