/* refuse WHAT… -- PROGRAM ARGUMENTS…: runs a program to which the kernel refuses something. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct refusal {
    const char *what;
    unsigned number;
    int argument; /* which must be at least `least`, and equal it where `exact`; -1: any call */
    unsigned least;
    int exact, error;
};

static const struct refusal refusals[] = {
    { "membarrier", SYS_membarrier, -1, 0, 0, ENOSYS },
    { "pidfds", SYS_pidfd_open, -1, 0, 0, ENOSYS },
    { "pidfd-signals", SYS_pidfd_send_signal, -1, 0, 0, ENOSYS },
    { "pidfd-signals", SYS_waitid, 0, 3, 1, EINVAL },          /* P_PIDFD, as Linux 5.3 */
    { "io_uring", 425 /* io_uring_setup */, -1, 0, 0, EPERM }, /* as containers do */
    { "entering", 426 /* io_uring_enter */, -1, 0, 0, ENOSYS },
    { "waiting", 426, 3, 1, 0, EINVAL },         /* with flags */
    { "threads", SYS_clone3, -1, 0, 0, ENOSYS }, /* libc tries clone then */
    { "threads", SYS_clone, 0, 0x10000, 0, EAGAIN },
    { "large-maps", SYS_mmap, 1, 256 * 1024, 0, ENOMEM },
    { "guards", SYS_madvise, 2, 102, 1, EINVAL },
    { "epoll", SYS_epoll_create1, -1, 0, 0, EPERM }, /* as sandboxes do */
    { "eventfds", SYS_eventfd2, -1, 0, 0, EPERM },
    { "listings", SYS_getdents64, -1, 0, 0, EACCES },
};

static void refuse(const struct refusal *refusal)
{
    struct sock_filter any[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refusal->number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 (unsigned)(offsetof(struct seccomp_data, args) +
                            8 * (unsigned)(refusal->argument < 0 ? 0 : refusal->argument))),
        BPF_JUMP(BPF_JMP | (refusal->exact ? BPF_JEQ : BPF_JGE) | BPF_K, refusal->least, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)refusal->error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof any / sizeof *any, any };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("refuse: this kernel has no filters");
        exit(77);
    }
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++)
            if (strcmp(refusals[k].what, argv[i]) == 0)
                refuse(&refusals[k]);
    if (i + 1 >= argc)
        return 1;
    execv(argv[i + 1], argv + i + 1);
    perror(argv[i + 1]);
    return 1;
}
