"""What a model must do beyond scoring well: keep its label where nothing that matters
changed, and give it up where it did.
"""
