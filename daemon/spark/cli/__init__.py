"""The commands of `spark`, one file per group. They talk to a running daemon over HTTP or read its store; no logic of their own.

Start-up matters here (`spark --help`, `history`, `status`): only the standard library and the core are imported at the top
of a module, everything else inside the command that needs it.
"""
