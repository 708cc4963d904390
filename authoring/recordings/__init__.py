"""Sound that people recorded, for training and for choosing: fetched, played from, and made into banks of sources."""
