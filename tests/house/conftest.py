"""House tests are named *_test.py, as the C++ ones are."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
