"""What notebook 02 alone uses."""
