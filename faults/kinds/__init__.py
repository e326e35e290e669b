"""How each fault is done, one module per thing that breaks."""
