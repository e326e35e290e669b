"""The people's side: the command line, the demo story and what starts a newsroom on one machine."""
