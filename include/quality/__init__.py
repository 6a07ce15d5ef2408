"""Quality: which records are set aside and why, and whether a batch as a whole may go on."""
