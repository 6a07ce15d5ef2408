"""Makes the pictures of README and docs from a demo of its own: `make screenshots`."""
