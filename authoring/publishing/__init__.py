"""The notebooks, the README, the site and the check for Colab."""
