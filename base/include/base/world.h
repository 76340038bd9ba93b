/*
 * The outside world: clock, randomness, our own disk writes, sockets and token calls. Every room goes through
 * these calls; two libraries define them. `world_real` is linked into chanceryd and chancery and is nothing
 * but the system. `world_test` is linked into chanceryd-test and test programs: there the clock can be moved
 * and any call made to fail, stall or kill (tests/world/README.md). chanceryd has no such door.
 */
#ifndef CHANCERY_BASE_WORLD_H
#define CHANCERY_BASE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Milliseconds since 1970 UTC: for what is written into certificates and books. */
int64_t world_now_ms(void);
static inline int64_t world_now_s(void)
{
    return world_now_ms() / 1000;
}

/* Milliseconds of CLOCK_BOOTTIME: for timers and waits; never goes back. */
int64_t world_mono_ms(void);

/* From the kernel (getrandom) or OpenSSL's DRBG; never fails, never short. */
void world_random(void *to, size_t n);

/* As the system calls of the same name, restarted on EINTR; -1 and errno. */
int world_open(const char *path, int flags, unsigned mode);
ssize_t world_write(int fd, const void *p, size_t n);
ssize_t world_pwrite(int fd, const void *p, size_t n, off_t at);
int world_fsync(int fd);
int world_fdatasync(int fd);
int world_ftruncate(int fd, off_t n);
int world_rename(const char *from, const char *to);
int world_unlink(const char *path);
ssize_t world_recv(int fd, void *to, size_t n, int flags);
ssize_t world_send(int fd, const void *p, size_t n, int flags);
ssize_t world_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t world_recvmsg(int fd, struct msghdr *m, int flags);
int world_accept(int fd, struct sockaddr *ret_addr, socklen_t *len); /* SOCK_NONBLOCK | SOCK_CLOEXEC */

/* Before a PKCS#11 call of this name: 0, or the CKR_ value to pretend. */
unsigned long world_token_call(const char *function);

/* A place where a test may kill or stall this process: "ca.intend.durable". Nothing at all in chanceryd.
 * Names are listed in base/world_points.def so that tests can walk all of them. */
void world_point(const char *name);

/* A check has found a breach: whether a test has switched off that check (hsm/floors.def,
 * templates/rules.def), to show that without it the breach goes through. Always false in chanceryd. */
bool world_check_off(const char *check);

#endif
