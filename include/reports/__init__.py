"""Pages and pictures for people: figures as PNG and SVG, and the model card as HTML and Markdown, all offline."""
