"""The origin server: titles, player, report, and the files that players fetch."""
