"""What goes over the wire: messages, their one parse from raw bytes, and our values as wire JSON. No sockets here."""
