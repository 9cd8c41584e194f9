"""The composition root: the one place where everything meets."""

from spark.app.life import project_brief, run_daemon

__all__ = ["project_brief", "run_daemon"]
