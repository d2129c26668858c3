"""Set the clock and the threads of tables that measure time. Import it before NumPy, which counts its threads once.

A table measures the processor time of one thread. With ``--as-installed`` all sides use the threads that they use by
default, and the table measures wall time.
"""

import os
import sys
import time

AS_INSTALLED = "--as-installed" in sys.argv
if AS_INSTALLED:
    sys.argv.remove("--as-installed")
else:
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

now = time.perf_counter if AS_INSTALLED else time.process_time
kind = "wall" if AS_INSTALLED else "CPU"
n_jobs = None if AS_INSTALLED else 1
