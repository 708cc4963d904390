"""Pretraining, studies, and the cards that say what came of them."""
