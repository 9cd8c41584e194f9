"""The local server: HTTP and WebSocket on 127.0.0.1. Turns requests into `core.api.DaemonApi` calls and back into JSON."""
