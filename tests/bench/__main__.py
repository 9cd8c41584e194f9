"""`poe bench`: every figure of the project, as a ratio in one run or as CPU time, with the limit it is held to.

Prints one row a figure and ends with 1 where a limit is missed. `python -m tests.bench NAME ...` runs only those.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import tests.bench


def main(names: list[str]) -> int:
    missed = 0
    for module in sorted(found.name for found in pkgutil.iter_modules(tests.bench.__path__)):
        if not module.startswith("bench_") or (names and module.removeprefix("bench_") not in names):
            continue
        print(f"-- {module.removeprefix('bench_')}", flush=True)
        for row in importlib.import_module(f"tests.bench.{module}").run():
            verdict = "ok" if row["ok"] else "MISSED"
            missed += not row["ok"]
            value, limit = _shown(row["value"]), _shown(row["limit"])
            print(f"{row['name']:<64} {value:>10} {row['unit']:<10} limit {limit:>8}  {verdict}", flush=True)
    print(f"{missed} figures over their limit" if missed else "all figures within their limits")
    return 1 if missed else 0


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
