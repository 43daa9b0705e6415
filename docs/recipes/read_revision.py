"""Reads one revision of a projection, whole, however long it takes: read_revision.py PATH"""

import contextlib
import fcntl
import os
import sys
import time


@contextlib.contextmanager
def revision(path, link="..data"):
    """Gives the directory of the revision that is shown now, which stays until the block ends."""
    directory, held = hold(path, link)
    try:
        yield directory
    finally:
        os.close(held)  # ends the lease


def hold(path, link):
    while True:
        directory = os.path.join(path, os.readlink(os.path.join(path, link)))
        try:
            held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # gone between the look and the open
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # The pruner renames while it holds the lock: what we hold may have left its place.
            if os.path.samestat(os.fstat(held), os.stat(directory)):
                return directory, held
        except (BlockingIOError, FileNotFoundError):
            time.sleep(0.005)
        os.close(held)


with revision(sys.argv[1]) as shown:
    print(shown, flush=True)
    sys.stdin.readline()
    for folder, _, names in os.walk(shown):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                print(file.read())
