/* The warden's insides, shared by warden.c, ward.c and warden_reload.c. Private to daemon. */
#ifndef CHANCERY_DAEMON_WARD_H
#define CHANCERY_DAEMON_WARD_H

#include "process.h"
#include "reload.h"
#include "restart.h"
#include "warden.h"

enum {
    WARD_START_MS = 120000, /* from fork to READY: a big ledger is checked at its open */
    WARD_PONG_MS = 10000,   /* a loop that does not answer for so long hangs */
    WARD_TICK_MS = 1000,
    WARD_RELOAD_MS = 15000, /* for each phase of a reload */
    WARD_MAX = CONFIG_RESPONDERS_MAX + CONFIG_TOKENS_MAX + 2,
};

enum ward_state { WARD_DOWN, WARD_STARTING, WARD_READY, WARD_STOPPING };

/* One child, over all its lives. */
struct ward {
    struct warden *warden;
    enum message_process kind;
    unsigned index;
    char name[48];
    enum ward_state state;
    bool serving;
    pid_t pid;
    struct channel *channel;
    struct restart restart;
    struct loop_timer *timer; /* until the next start */
    int64_t since_ms;         /* in this state */
    int64_t pong_ms;          /* last heard */
    struct jail_state jail;
};

struct warden {
    struct warden_setup setup;
    struct config *config;
    struct arena *turn; /* what lives for one frame */
    struct ward wards[WARD_MAX];
    size_t n;
    size_t vaults_n;    /* the first of them */
    struct ward *front; /* among them; NULL where only responders run here */
    int generation_fd;
    uint32_t generation;
    uint8_t sha256[SHA256_BYTES];
    struct reload reload;
    uint64_t reload_id;
    int64_t reload_ms; /* since when its phase waits */
    enum reload_phase reload_phase;
    struct config *next_config;
    int next_fd;
    uint8_t next_sha256[SHA256_BYTES];
    struct loop_timer *tick;
    bool served; /* on_serving has been called */
    enum { WARDEN_RUNS, WARDEN_DRAINS, WARDEN_ENDS } phase;
    int64_t phase_ms, stop_ms; /* since when; when it was told */
    int status;
};

/* --- ward.c: one child --- */

void ward_start(struct ward *w);
/* body's descriptor fd is duplicated; -1: none. */
void ward_send(struct ward *w, enum message kind, uint64_t id, struct view body, int fd);
void ward_kill(struct ward *w, const char *why);
/* It has ended: status as from waitpid. */
void ward_ended(struct ward *w, int status);

/* --- warden.c --- */

void warden_ready(struct warden *w, struct ward *ward);
void warden_changed(struct warden *w); /* tells the front how the house stands */
void warden_fail(struct warden *w, const char *why);

/* --- warden_reload.c --- */

void warden_reload_answer(struct warden *w, struct ward *ward, const struct frame *f);
MUST_USE struct err *warden_pin_changed(struct ward *vault, struct view body); /* warden_pin.c */
/* A vault's tokens; the PIN file of one. */
size_t warden_tokens(const struct ward *vault);
const char *warden_pin_file(const struct ward *vault, size_t token);
void warden_reload_tick(struct warden *w, int64_t now_ms);

#endif
