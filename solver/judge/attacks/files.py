"""Programs that read what is not theirs or write where they must not."""

from __future__ import annotations

from .attack import ESCAPE_FILE, RIGHT, SECRET_FILE, attack, brisk

ATTACKS = (
    attack("the password file", "RE SV", "print(open('/etc/passwd').read())"),
    attack("the password file by raw calls", "WA RE SV", """
import ctypes, os
fd = ctypes.CDLL(None).open(b"/etc/passwd", 0)
print(os.read(fd, 100) if fd >= 0 else "denied")
"""),
    attack("a readable secret outside", "RE SV", f"print(open({SECRET_FILE!r}).read())"),
    attack("a secret by way of /proc/self/root", "RE SV", f"print(open('/proc/self/root' + {SECRET_FILE!r}).read())"),
    attack("a secret by way of /proc/1/root", "RE SV", f"print(open('/proc/1/root' + {SECRET_FILE!r}).read())"),
    attack("a secret by way of dot-dot", "RE SV", f"print(open('/usr/lib/../..' + {SECRET_FILE!r}).read())"),
    attack("every home", "WA RE", """
import os
seen = []
for top in ("/home", "/root", "/var", "/srv", "/opt", "/mnt", "/run"):
    try:
        seen += os.listdir(top)
    except OSError:
        pass
print(seen)
""", must_print="[]"),
    attack("block devices", "RE", "import glob\nprint(open((glob.glob('/dev/[svnx]d*') + ['/dev/vda'])[0], 'rb').read(9))"),
    attack("kernel memory", "RE", "print(open('/proc/kcore', 'rb').read(16))"),
    attack("kernel settings", "RE", "open('/proc/sys/kernel/core_pattern', 'w').write('|/bin/sh')"),
    attack("write outside", "RE SV", f"open({ESCAPE_FILE!r}, 'w').write('escaped')"),
    attack("write to the working directory", "RE SV", "open('note', 'w').write('x')"),
    attack("write to /tmp", "RE SV", "import tempfile\ntempfile.NamedTemporaryFile().write(b'x')"),
    attack("write to /dev/shm", "RE SV", "open('/dev/shm/judge-note', 'w').write('x')"),
    attack("append to the standard library", "RE SV", "import os\nopen(os.__file__, 'a').write('#')"),
    attack("replace the standard library", "RE SV", "import os\nos.rename(os.__file__, os.__file__ + '.old')"),
    attack("remove a shared library", "RE SV", "import os\nos.unlink('/usr/lib/os-release')"),
    attack("change a mode", "RE SV", "import os\nos.chmod('/usr', 0o777)"),
    attack("a device node", "RE SV", "import os, stat\nos.mknod('null', stat.S_IFCHR | 0o666, os.makedev(1, 3))"),
    attack("a hard link outwards", "RE SV", "import os\nos.link('/usr/bin/env', 'env')"),
    attack("a link out of the scratch directory", "RE SV", "import os\nos.symlink('/etc/passwd', 'link')\nprint(open('link').read())",
           limits=brisk(scratch_mb=4), needs_namespaces=True),
    attack("a scratch directory filled", "RE OLE", "with open('big', 'wb') as file:\n    while True:\n"
           "        file.write(bytes(1 << 16))\n        file.flush()",
           limits=brisk(scratch_mb=4, output_kb=1 << 16), needs_namespaces=True),
    attack("a scratch directory of a million files", "RE", "n = 0\nwhile True:\n    open(str(n), 'w').close()\n    n += 1",
           limits=brisk(scratch_mb=4, cpu_s=4.0), needs_namespaces=True),
    attack("a program put into scratch and run", "SV RE", "import os\nopen('run', 'w').write('#!/bin/sh\\nid')\n"
           "os.chmod('run', 0o755)\nos.execv('run', ['run'])", limits=brisk(scratch_mb=4), needs_namespaces=True),
    attack("output of another run, by its descriptor", "WA RE SV", """
import os
for pid in range(1, 40):
    for fd in range(0, 12):
        for mode in ("rb", "r+b"):
            try:
                with open(f"/proc/{pid}/fd/{fd}", mode) as file:
                    if pid != os.getpid():
                        print("reached", pid, fd)
            except OSError:
                pass
print("nothing")
""", must_print="nothing"),
    attack("the answer read from its own stdin twice", "WA", "import os\nos.lseek(0, 0, 2)\nprint(os.read(0, 99))"),
    attack("the right answer with a look at /etc", "RE", "import os\nos.listdir('/etc')\nopen('/etc/hostname')" + RIGHT),
)  # fmt: skip
