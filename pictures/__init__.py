"""The pictures of the README: the demo's story on a newsroom of its own, as readers see it in a browser."""
