"""What templates and other outputs may use: frozen contexts, made of an article or a listing and the site."""
