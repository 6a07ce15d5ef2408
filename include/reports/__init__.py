"""Pages and pictures for people: figures, the model card, the decisions about models; all of it opens offline."""
