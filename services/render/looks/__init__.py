"""How the site looks: its settings, colours, drawings and assets, and all of that as one `Look`."""
