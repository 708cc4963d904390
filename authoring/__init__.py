"""The authors' workshop beside the package: what makes the data, the weights, the notebooks and the site."""
