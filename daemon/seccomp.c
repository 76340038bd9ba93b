/*
 * Which system calls are refused (EPERM, nobody is killed: libraries that try get an error they can handle).
 * A list of refusals, not of permissions: PKCS#11 modules are other people's code. Sockets come from the
 * warden alone, so none can be made, and none connected, but for the vault of a token that lives behind a
 * socket (`connects`); no program is started, no process forked, no other
 * process looked into or signalled. One thread.
 */
#include "seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH_HERE AUDIT_ARCH_AARCH64
#endif

enum { X32_BIT = 0x40000000, PROGRAM_MAX = 256 };

static const int refused[] = {
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
    SYS_bind,
    SYS_listen,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_personality,
    SYS_mknodat,
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short n;
};

static void put(struct program *p, struct sock_filter f)
{
    p->code[p->n++] = f;
}

#define DATA(member) ((uint32_t)offsetof(struct seccomp_data, member))
#define LOAD(at)     ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at)))
#define RETURN(what) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (what)))
#define REFUSE(code) RETURN(SECCOMP_RET_ERRNO | (code))
/* Skips the next `skip` instructions unless the loaded word is k. */
#define UNLESS(k, skip) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(k), 0, (skip)))

static void put_refusals(struct program *p)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        put(p, UNLESS(refused[i], 1));
        put(p, REFUSE(EPERM));
    }
}

/* A module whose token is behind a service gets sockets of that kind, to connect and no more; so does the
 * courier. */
static void put_sockets(struct program *p, enum jail_connects connects)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
    size_t n = connects == JAIL_CONNECTS_NETWORK ? 3 : connects == JAIL_CONNECTS_LOCAL ? 1 : 0;
    put(p, UNLESS(SYS_socketpair, 1)); /* libcurl waits for its look-up of names by one */
    put(p, n == 3 ? RETURN(SECCOMP_RET_ALLOW) : REFUSE(EPERM));
    put(p, UNLESS(SYS_connect, 1));
    put(p, n ? RETURN(SECCOMP_RET_ALLOW) : REFUSE(EPERM));
    put(p, UNLESS(SYS_socket, (uint8_t)(2 + 2 * n)));
    put(p, LOAD(DATA(args[0])));
    for (size_t i = 0; i < n; i++) {
        put(p, UNLESS(families[i], 1));
        put(p, RETURN(SECCOMP_RET_ALLOW));
    }
    put(p, REFUSE(EPERM));
}

/* Signals to oneself alone: raise() and abort() use tgkill with the own pid. */
static void put_signals(struct program *p)
{
    static const int calls[] = {SYS_kill, SYS_tgkill};
    for (size_t i = 0; i < 2; i++) {
        put(p, UNLESS(calls[i], 4));
        put(p, LOAD(DATA(args[0])));
        put(p, UNLESS(getpid(), 1));
        put(p, RETURN(SECCOMP_RET_ALLOW));
        put(p, REFUSE(EPERM));
    }
}

/* Threads, no processes. clone3 hides its flags in memory: ENOSYS sends the C library back to clone. */
static void put_threads(struct program *p)
{
    put(p, UNLESS(SYS_clone3, 1));
    put(p, REFUSE(ENOSYS));
    put(p, UNLESS(SYS_clone, 4));
    put(p, LOAD(DATA(args[0])));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    put(p, RETURN(SECCOMP_RET_ALLOW));
    put(p, REFUSE(EPERM));
}

static void build(struct program *p, enum jail_connects connects)
{
#ifdef ARCH_HERE
    put(p, LOAD(DATA(arch)));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_HERE, 1, 0));
    put(p, RETURN(SECCOMP_RET_KILL_PROCESS));
#endif
    put(p, LOAD(DATA(nr)));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
    put(p, REFUSE(ENOSYS));
    put_refusals(p);
    put_sockets(p, connects);
    put_signals(p);
    put_threads(p);
    put(p, RETURN(SECCOMP_RET_ALLOW));
}

struct err *seccomp_enter(struct jail_state *ret)
{
    struct program p = {.n = 0};

    build(&p, ret->connects);
    struct sock_fprog prog = {p.n, p.code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0) {
        ret->seccomp = true;
        return NULL;
    }
    if (errno == EINVAL || errno == ENOSYS) /* a kernel without filters */
        return NULL;
    return err_sys(ERR_IO, errno, "seccomp");
}
