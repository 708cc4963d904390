"""The commands of `lass-lab`, by what they are for; each imports what it needs as it runs, to keep --help instant."""
