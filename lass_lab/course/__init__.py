"""Floor 4, what a student touches: profiles, the ledger of results, plots, players and the notebooks."""
