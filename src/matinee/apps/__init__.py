"""Parse, call, render: the command line and the web."""
