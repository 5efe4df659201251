"""Which system calls a program may make. One allow list; what is not named gets ENOSYS, as on an older
kernel.

Refusals that say something about a program are answered by the judge (NOTIFY), so a verdict can name the
call: *hostile* calls end the run at once, *soft* ones fail with EPERM and are noted.
"""

from __future__ import annotations

import errno
import hashlib
from enum import Enum

from .bpf import ALLOW, KILL, NOTIFY, Filter, refuse
from .kernel import NR

_ALLOWED = """
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 dup3
fstat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat open openat creat getdents
getdents64 getcwd chdir fchdir umask truncate ftruncate fallocate fsync fdatasync fadvise64 statfs fstatfs sendfile
copy_file_range mkdir mkdirat unlink unlinkat rename renameat renameat2 rmdir link linkat symlink symlinkat utimensat
mmap munmap mremap mprotect brk madvise msync mlock munlock mlock2 membarrier map_shadow_stack mseal
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack restart_syscall
pause alarm setitimer getitimer exit exit_group futex futex_wake futex_wait futex_requeue futex_waitv
set_robust_list get_robust_list set_tid_address rseq
sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_getattr sched_get_priority_max
sched_get_priority_min sched_rr_get_interval getpriority getcpu
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times
timer_create timer_settime timer_gettime timer_delete timer_getoverrun
timerfd_create timerfd_settime timerfd_gettime
getpid getppid gettid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp getpgid getsid capget
uname sysinfo getrlimit getrusage arch_prctl pidfd_open wait4 waitid
poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
pipe pipe2 getrandom ioctl
sendmsg recvmsg
"""
# sendmsg and recvmsg serve the sandbox's own last messages; a program has no socket to use them on.

HOSTILE = """
ptrace process_vm_readv process_vm_writev mount umount2 pivot_root chroot setns unshare bpf perf_event_open keyctl
add_key request_key init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff
sethostname setdomainname io_uring_setup io_uring_enter io_uring_register userfaultfd open_by_handle_at
name_to_handle_at fsopen fsmount fsconfig fspick open_tree move_mount mount_setattr acct settimeofday clock_settime
clock_adjtime adjtimex iopl ioperm modify_ldt lookup_dcookie quotactl quotactl_fd nfsservctl syslog vhangup
pidfd_getfd pidfd_send_signal kcmp process_madvise process_mrelease landlock_create_ruleset landlock_add_rule
memfd_secret fanotify_init fanotify_mark mknod mknodat personality setuid setgid setreuid setregid setresuid
setresgid setgroups setfsuid setfsgid capset seccomp
"""

SOFT = """
socket socketpair connect bind listen accept accept4 sendto recvfrom sendmmsg recvmmsg setsockopt getsockopt
shutdown getsockname getpeername execve execveat fork vfork clone setsid setpgid setpriority sched_setaffinity
sched_setscheduler sched_setparam sched_setattr ioprio_set memfd_create shmget shmat shmctl semget semop semctl
msgget msgsnd msgrcv msgctl mq_open mq_unlink inotify_init inotify_init1 inotify_add_watch chmod fchmod fchmodat
fchmodat2 chown fchown lchown fchownat setxattr lsetxattr fsetxattr flock kill tkill tgkill rt_sigqueueinfo
rt_tgsigqueueinfo vmsplice splice tee
"""

_CLONE_THREAD = 0x00010000
_NAMESPACE_FLAGS = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
# F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_DUPFD_CLOEXEC F_SETPIPE_SZ F_GETPIPE_SZ F_GET_SEALS. Locks, leases
# and owners reach across runs through shared files and are left out.
_FCNTL = (0, 1, 2, 3, 4, 1030, 1031, 1032, 1034)
# PR_GET_DUMPABLE PR_SET_NAME PR_GET_NAME PR_GET_SECCOMP PR_CAPBSET_READ PR_SET/GET_TIMERSLACK
# PR_SET/GET_NO_NEW_PRIVS PR_GET_THP_DISABLE PR_SET_VMA
_PRCTL = (3, 15, 16, 21, 23, 29, 30, 38, 39, 42, 0x53564D41)


class Kind(Enum):
    """PYTHON: threads only, signals to itself are decided by the judge. NATIVE: one exec, then threads only.
    COMPILE: a compiler driver, which forks and execs."""

    PYTHON = "python"
    NATIVE = "native"
    COMPILE = "compile"


def build(kind: Kind, *, pid: int = 0, quiet: tuple[str, ...] = ()) -> Filter:
    """`pid`: for NATIVE, the process's own number, to which it may send signals. `quiet` calls fail
    unnoticed."""
    answer = refuse(errno.EPERM) if kind is Kind.COMPILE else NOTIFY
    program = Filter(refuse(errno.ENOSYS)).set(_ALLOWED, ALLOW).set(HOSTILE, NOTIFY).set(SOFT, answer)
    program.set("clone3", refuse(errno.ENOSYS))  # its flags lie in memory, out of a filter's sight
    for name in ("fcntl", "prctl"):
        program.set(name, refuse(errno.EINVAL))
    for command in _FCNTL:
        program.rule("fcntl", 1, 0xFFFFFFFF, command, ALLOW)
    for option in _PRCTL:
        program.rule("prctl", 0, 0xFFFFFFFF, option, ALLOW)
    # Limits can only be lowered without a capability; only one's own may be named at all.
    program.set("setrlimit", ALLOW).set("prlimit64", refuse()).rule("prlimit64", 0, 0xFFFFFFFF, 0, ALLOW)
    for request in (_TIOCSTI, _TIOCLINUX):
        program.rule("ioctl", 1, 0xFFFFFFFF, request, KILL)
    for flag in _NAMESPACE_FLAGS:
        program.rule("clone", 0, flag, flag, KILL)
    if kind is Kind.COMPILE:
        program.set("clone fork vfork execve kill tgkill setpgid setsid chmod fchmod fchmodat flock", ALLOW)
        program.set("fcntl socketpair splice", ALLOW)
    else:
        program.rule("clone", 0, _CLONE_THREAD, _CLONE_THREAD, ALLOW)
    if kind is Kind.NATIVE and pid:
        for name in ("kill", "tgkill"):
            program.rule(name, 0, 0xFFFFFFFF, pid, ALLOW)
    return program.set(" ".join(quiet), refuse(errno.ENOSYS))


def names_of(text: str) -> frozenset[int]:
    return frozenset(NR[name] for name in text.split() if name in NR)


def digest() -> str:
    """Names the rules: changes whenever any filter does."""
    code = b"".join(build(kind, pid=2).assemble() for kind in Kind)
    return hashlib.sha256(code).hexdigest()[:16]
