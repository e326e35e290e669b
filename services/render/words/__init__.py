"""How the site speaks: its words in each language, its dates, and the typographic care of what it shows."""
