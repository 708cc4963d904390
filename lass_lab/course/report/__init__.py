"""One HTML page of what a run learnt."""
