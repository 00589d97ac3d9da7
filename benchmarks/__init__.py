"""What the platform costs and how fast it is, measured against a live server on loopback."""
