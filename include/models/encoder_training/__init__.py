"""How the bundled photo encoder is trained: a compact network learns, stage by stage, to see as a larger one does."""
