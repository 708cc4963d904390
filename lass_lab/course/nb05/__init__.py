"""What notebook 05 alone uses."""
