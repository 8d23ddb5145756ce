"""Runs a command with a terminal: on-terminal.py stderr|all COMMAND...

What the command writes to the terminal comes out of this program's own error stream. With `stderr` the command's
input and output are this program's own; with `all` they are the terminal, which this program's input is typed into.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

mode, *command = sys.argv[1:]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
own = {"stdin": slave, "stdout": slave, "start_new_session": True} if mode == "all" else {}
child = subprocess.Popen(command, stderr=slave, **own)
os.close(slave)
sources = [master] + ([0] if mode == "all" else [])
while master in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # EIO: the other end of the terminal is closed
            data = b""
        if not data:
            sources.remove(source)
        else:
            os.write(2 if source == master else master, data)
sys.exit(child.wait() % 256)
