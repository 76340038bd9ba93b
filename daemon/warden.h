/*
 * The warden: starts the children of process.h, gives them descriptors, keeps them running, carries a reload
 * through, ends them. It parses nothing that comes from outside, holds no key, reads no PIN (it passes the
 * open file), opens no store and starts no thread.
 */
#ifndef CHANCERY_DAEMON_WARDEN_H
#define CHANCERY_DAEMON_WARDEN_H

#include "base/loop.h"
#include "config.h"
#include "sockets.h"
#include "users.h"

struct warden;

struct warden_setup {
    struct loop *loop;
    const struct sockets *sockets;
    const struct users *users;
    int metrics_fd;
    void (*on_serving)(void *arg); /* every process stands and serves, for the first time */
    void *arg;
};

/* Takes *config. generation_fd: sealed, number 1; taken too. */
struct warden *warden_new(const struct warden_setup *setup, struct config **config, int generation_fd,
                          const uint8_t sha256[SHA256_BYTES]);
/* Ends whatever still runs, at once. Accepts NULL. */
void warden_free(struct warden *w);

/* Starts all; goes on from the loop. */
void warden_start(struct warden *w);
/* SIGHUP: everything anew, or all as it was. Logs which. */
void warden_reload(struct warden *w);
/* SIGTERM: the front drains, then the others end, then the loop stops. Twice: at once. */
void warden_stop(struct warden *w);
/* SIGCHLD. */
void warden_reap(struct warden *w);
/* SIGUSR1: a person says that the PIN, as the file has it now, may be tried. */
void warden_retry_pin(struct warden *w);
/* SIGUSR2: the token gets the PIN that stands beside the file. */
#define WARDEN_PIN_NEW ".new"
void warden_change_pin(struct warden *w);
/* What main returns: 0, or 1 where it had to end by itself. */
int warden_status(const struct warden *w);

#endif
