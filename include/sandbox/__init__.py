"""A local stand-in of the Open Food Facts and Edamam APIs, and a demo catalogue for it to serve."""
