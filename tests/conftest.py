import os

# Before anything imports a hub client: no test may need a network.
os.environ["HF_HUB_OFFLINE"] = "1"
