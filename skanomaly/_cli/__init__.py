"""The command line's rooms: read, prepare, scan, print."""
