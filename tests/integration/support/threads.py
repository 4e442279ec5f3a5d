# SPDX-License-Identifier: GPL-2.0-or-later
"""Several things at the same time."""

import threading


def run_all(functions, broken):
    """Run each in a thread of its own, until all have ended; then raise the first failure that they put into `broken`."""
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
