"""Who is at work meanwhile: editors who send every kind of event, readers of pages and streams."""
