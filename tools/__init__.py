"""For maintainers: keeps quotes, setup cells, badges and stored outputs true.

`python -m tools` refreshes them, `python -m tools --check` verifies them and
`python -m tools execute NOTEBOOK ...` stores fresh outputs. The commands of
`course.py` are here too; they, `environment` and `processes` need the standard
library alone.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
