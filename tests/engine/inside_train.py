"""Runs with the engine's Python: trains the project in the first argument into the folder in the second."""

import json
import sys
from pathlib import Path

from engine.train import ROOT, train

sys.path.insert(0, str(ROOT))
project, folder = Path(sys.argv[1]), Path(sys.argv[2])
sys.stdout.write(json.dumps({"model": str(train(project, folder))}) + "\n")
