/*
 * All children together: who is connected to whom, what the front is told, watching, and the order of the
 * end. The warden's thread is the only one of its process.
 */
#include "warden.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/world.h"
#include "ward.h"

enum { TURN_BYTES = 1 << 20, END_MS = 10000, STOP_AGAIN_MS = 1000 };

/* --- connecting --- */

static void attach(struct ward *to, const struct ward *peer, int fd)
{
    struct view body;
    struct warden *w = to->warden;

    arena_reset(w->turn);
    struct err *e = message_attach_write(peer->kind, peer->index, w->turn, &body);
    CHECK(e == NULL);
    ward_send(to, MESSAGE_ATTACH, 0, body, fd);
}

static void connect_pair(struct ward *a, struct ward *b)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        ward_kill(a, "no socketpair could be had");
        return;
    }
    attach(a, b, pair[0]);
    attach(b, a, pair[1]);
    close(pair[0]);
    close(pair[1]);
}

static bool linked(enum message_process x, enum message_process y)
{
    enum message_process a, b;
    for (size_t i = 0; process_link(i, &a, &b); i++)
        if ((a == x && b == y) || (a == y && b == x))
            return true;
    return false;
}

/* A child that has become ready gets a fresh channel to each ready one it has to do with. */
void warden_ready(struct warden *w, struct ward *ward)
{
    const char *why = jail_refusal(jail_level(&ward->jail), w->config->isolation, w->config->demo);
    if (why) {
        warden_fail(w, why);
        return;
    }
    for (size_t i = 0; i < w->n; i++)
        if (w->wards[i].state == WARD_READY && &w->wards[i] != ward && linked(ward->kind, w->wards[i].kind))
            connect_pair(ward, &w->wards[i]);
    warden_changed(w);
}

/* --- telling the front --- */

static void tell_front(struct warden *w)
{
    struct ward *front = w->front;
    struct view body;

    if (!front || front->state != WARD_READY)
        return;
    arena_reset(w->turn);
    struct message_status_row *rows = arena_array(w->turn, w->n, sizeof *rows);
    for (size_t i = 0; i < w->n; i++)
        rows[i] = (struct message_status_row){
            .name = w->wards[i].name,
            .pid = w->wards[i].pid,
            .ready = w->wards[i].state == WARD_READY,
            .restarts = w->wards[i].restart.restarts,
            .broken = restart_broken(&w->wards[i].restart),
            .isolation = w->wards[i].pid ? jail_text(&w->wards[i].jail, w->turn) : "",
            .level = jail_level(&w->wards[i].jail),
        };
    struct message_status status = {.generation = w->generation, .n = w->n, .rows = rows};
    memcpy(status.sha256, w->sha256, SHA256_BYTES);
    struct err *e = message_status_write(&status, w->turn, &body);
    CHECK(e == NULL);
    ward_send(front, MESSAGE_STATUS, 0, body, -1);
}

/* A vault whose library keeps failing is no reason not to serve with the others. */
static bool stands(const struct ward *ward)
{
    if (ward->kind == MESSAGE_VAULT && ward->warden->vaults_n > 1 && restart_broken(&ward->restart))
        return true;
    return ward->state == WARD_READY && (ward->serving || ward->kind == MESSAGE_VAULT);
}

void warden_changed(struct warden *w)
{
    bool all = true;

    tell_front(w);
    for (size_t i = 0; i < w->n; i++)
        all = all && stands(&w->wards[i]);
    if (!all || w->served)
        return;
    w->served = true;
    log_info("serving", log_num("generation", w->generation));
    if (w->setup.on_serving)
        w->setup.on_serving(w->setup.arg);
}

/* --- watching --- */

static void watch(struct ward *ward, int64_t now_ms)
{
    if (ward->state == WARD_STARTING && now_ms - ward->since_ms > WARD_START_MS)
        ward_kill(ward, "it did not get ready in time");
    if (ward->state != WARD_READY)
        return;
    if (now_ms - ward->pong_ms > WARD_PONG_MS)
        ward_kill(ward, "its loop hangs");
    ward_send(ward, MESSAGE_PING, 0, (struct view){NULL, 0}, -1);
}

static size_t alive(const struct warden *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        n += w->wards[i].pid > 0;
    return n;
}

static void kill_all(struct warden *w, const char *why)
{
    for (size_t i = 0; i < w->n; i++)
        ward_kill(&w->wards[i], why);
}

static void stop_ward(struct ward *ward)
{
    loop_timer_clear(ward->timer);
    if (ward->pid <= 0)
        return;
    if (ward->state == WARD_READY) {
        ward->state = WARD_STOPPING;
        ward_send(ward, MESSAGE_STOP, 0, (struct view){NULL, 0}, -1);
        return;
    }
    if (ward->state == WARD_STARTING) {
        ward->state = WARD_STOPPING;
        ward_kill(ward, "it was still starting");
    }
}

/* The front first, while vault and responders still serve it; then the rest; then the loop. */
static void go_on_ending(struct warden *w)
{
    if (w->phase == WARDEN_DRAINS && (!w->front || w->front->pid <= 0)) {
        w->phase = WARDEN_ENDS;
        w->phase_ms = world_mono_ms();
        for (size_t i = 0; i < w->n; i++)
            stop_ward(&w->wards[i]);
    }
    if (w->phase == WARDEN_ENDS && alive(w) == 0)
        loop_stop(w->setup.loop);
}

static void watch_ending(struct warden *w, int64_t now_ms)
{
    int64_t drain_ms = w->config->limits.drain_s * 1000 + END_MS;

    if (w->phase == WARDEN_DRAINS && w->front && now_ms - w->phase_ms > drain_ms)
        ward_kill(w->front, "it did not drain in time");
    if (w->phase == WARDEN_ENDS && now_ms - w->phase_ms > drain_ms)
        kill_all(w, "it did not end in time");
}

static void on_tick(void *arg)
{
    struct warden *w = arg;
    int64_t now_ms = world_mono_ms();

    for (size_t i = 0; i < w->n; i++)
        watch(&w->wards[i], now_ms);
    warden_reload_tick(w, now_ms);
    watch_ending(w, now_ms);
    loop_timer_set(w->tick, WARD_TICK_MS);
}

/* --- from outside --- */

static void on_restart(void *arg)
{
    struct ward *ward = arg;
    if (ward->warden->phase == WARDEN_RUNS)
        ward_start(ward);
}

/* All of a kind; gives the first. */
static struct ward *add(struct warden *w, enum message_process kind)
{
    struct ward *first = &w->wards[w->n];

    for (unsigned i = 0; i < process_count(kind, w->config); i++) {
        struct ward *ward = &w->wards[w->n++];
        ward->warden = w;
        ward->kind = kind;
        ward->index = i;
        ward->timer = loop_timer_new(w->setup.loop, on_restart, ward);
        snprintf(ward->name, sizeof ward->name, "%s", process_label(kind, i, w->config, w->turn));
    }
    arena_reset(w->turn);
    return first;
}

struct warden *warden_new(const struct warden_setup *setup, struct config **config, int generation_fd,
                          const uint8_t sha256[SHA256_BYTES])
{
    struct warden *w = calloc(1, sizeof *w);

    CHECK(w);
    w->setup = *setup;
    w->config = *config;
    *config = NULL;
    w->turn = arena_new(TURN_BYTES);
    w->generation_fd = generation_fd;
    w->generation = 1;
    w->next_fd = -1;
    memcpy(w->sha256, sha256, SHA256_BYTES);
    add(w, MESSAGE_VAULT);
    w->vaults_n = w->n;
    struct ward *front = add(w, MESSAGE_FRONT);
    w->front = w->config->responders_only ? NULL : front;
    add(w, MESSAGE_RESPONDER);
    add(w, MESSAGE_COURIER);
    w->tick = loop_timer_new(w->setup.loop, on_tick, w);
    return w;
}

void warden_free(struct warden *w)
{
    if (!w)
        return;
    kill_all(w, "the warden ends");
    for (size_t i = 0; i < w->n; i++) {
        loop_timer_free(w->wards[i].timer);
        channel_free(w->wards[i].channel);
        if (w->wards[i].pid > 0)
            waitpid(w->wards[i].pid, NULL, 0);
    }
    loop_timer_free(w->tick);
    close(w->generation_fd);
    if (w->next_fd >= 0)
        close(w->next_fd);
    config_free(w->config);
    config_free(w->next_config);
    arena_free(w->turn);
    free(w);
}

void warden_start(struct warden *w)
{
    for (size_t i = 0; i < w->n; i++)
        ward_start(&w->wards[i]);
    loop_timer_set(w->tick, WARD_TICK_MS);
}

void warden_stop(struct warden *w)
{
    if (w->phase != WARDEN_RUNS) {
        /* The same signal may come to the process and to its group. */
        if (world_mono_ms() - w->stop_ms >= STOP_AGAIN_MS)
            kill_all(w, "told to end twice");
        return;
    }
    log_info("stopping");
    w->phase = WARDEN_DRAINS;
    w->phase_ms = w->stop_ms = world_mono_ms();
    for (size_t i = 0; i < w->n; i++)
        loop_timer_clear(w->wards[i].timer);
    if (w->front)
        stop_ward(w->front);
    go_on_ending(w);
}

void warden_fail(struct warden *w, const char *why)
{
    log_error("refused", log_text("why", why));
    w->status = 1;
    if (w->phase == WARDEN_RUNS)
        warden_stop(w);
}

void warden_reap(struct warden *w)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < w->n; i++)
            if (w->wards[i].pid == pid) {
                ward_ended(&w->wards[i], status);
                reload_died(&w->reload, i);
            }
    warden_changed(w);
    go_on_ending(w);
}

int warden_status(const struct warden *w)
{
    return w->status;
}
