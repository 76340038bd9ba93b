/*
 * One child as the warden sees it: started with its descriptors, listened to, ended, started again. Reads
 * from a child only the few frames of frames.def; one that sends anything else is killed. The warden's
 * thread.
 */
#include "ward.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/metric.h"
#include "base/world.h"
#include "reexec.h"

static void set_state(struct ward *w, enum ward_state state)
{
    w->state = state;
    w->since_ms = world_mono_ms();
}

void ward_send(struct ward *w, enum message kind, uint64_t id, struct view body, int fd)
{
    if (!w->channel)
        return;
    struct frame f = {
        .kind = (uint16_t)kind, .generation = w->warden->generation, .id = id, .body = body, .fd = fd};
    struct err *e = channel_send(w->channel, &f);
    if (!e)
        return;
    err_free(e);
    ward_kill(w, "its channel is full");
}

void ward_kill(struct ward *w, const char *why)
{
    if (w->pid <= 0)
        return;
    log_warn("child.kill", log_text("child", w->name), log_num("pid", w->pid), log_text("why", why));
    kill(w->pid, SIGKILL);
}

/* --- what it says --- */

static struct err *on_ready(struct ward *w, const struct frame *f)
{
    struct err *e = NULL;

    if (w->state != WARD_STARTING)
        return err_new(ERR_PROTOCOL, "READY twice");
    TRY(message_ready_read(f->body, &w->jail));
    log_info("child.ready", log_text("child", w->name), log_num("pid", w->pid),
             log_num("ms", world_mono_ms() - w->since_ms),
             log_text("isolation", jail_level_text(jail_level(&w->jail))));
    set_state(w, WARD_READY);
    restart_ready(&w->restart);
    warden_ready(w->warden, w);
out:
    return e;
}

static struct err *dispatch(struct ward *w, const struct frame *f)
{
    struct err *e = message_check(f, MESSAGE_FROM_CHILD);
    if (e)
        return e;
    w->pong_ms = world_mono_ms();
    switch (f->kind) {
    case MESSAGE_READY:
        return on_ready(w, f);
    case MESSAGE_PIN_CHANGED:
        return warden_pin_changed(w, f->body);
    case MESSAGE_SERVING:
        w->serving = true;
        warden_changed(w->warden);
        return NULL;
    case MESSAGE_PREPARED:
    case MESSAGE_COMMITTED:
        warden_reload_answer(w->warden, w, f);
        return NULL;
    default: /* PONG: to be heard was all */
        return NULL;
    }
}

static void on_frame(void *arg, struct frame *f)
{
    struct ward *w = arg;
    struct err *e = dispatch(w, f);
    if (!e)
        return;
    ward_kill(w, err_detail(e));
    err_free(e);
}

/* Its end is reported by SIGCHLD; a child that closed its channel and lives on is of no use. */
static void on_close(void *arg, struct err *why)
{
    struct ward *w = arg;
    channel_free(w->channel);
    w->channel = NULL;
    if (why)
        ward_kill(w, err_detail(why));
    err_free(why);
}

/* --- starting --- */

struct descriptors {
    int fds[REEXEC_FDS_MAX];
    size_t n;
    int pins[CONFIG_TOKENS_MAX]; /* ours to close */
    size_t pins_n;
};

static void put(struct descriptors *d, int fd)
{
    CHECK(d->n < REEXEC_FDS_MAX);
    d->fds[d->n++] = fd;
}

static void put_listeners(const struct ward *w, struct descriptors *d)
{
    const struct sockets *s = w->warden->setup.sockets;
    enum process_listens listens = process_row(w->kind)->listens;

    for (size_t i = 0; listens == PROCESS_LISTENS_HTTPS && i < s->https_n; i++)
        put(d, s->https[i]);
    if (listens == PROCESS_LISTENS_HTTPS)
        put(d, s->control);
    for (size_t i = 0; listens == PROCESS_LISTENS_HTTP && i < s->http_n; i++)
        put(d, s->http[i]);
}

/* Opened anew for each start: the files may have been replaced. Never read here. */
static struct err *put_pins(const struct ward *w, struct descriptors *d)
{
    for (size_t i = 0; process_row(w->kind)->pin && i < warden_tokens(w); i++) {
        const char *path = warden_pin_file(w, i);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
            return err_sys(ERR_CONFIG, errno, "%s", path);
        d->pins[d->pins_n++] = fd;
        put(d, fd);
    }
    return NULL;
}

static struct err *say_start(struct ward *w, unsigned listeners, unsigned pins)
{
    struct err *e = NULL;
    const struct users *u = w->warden->setup.users;
    struct view body;
    struct message_start m = {
        .process = w->kind,
        .index = w->index,
        .warden = getpid(),
        .drop = u->drop,
        .own_user = u->own,
        .uid = u->of[w->kind].uid,
        .gid = u->of[w->kind].gid,
        .owner = u->owner,
        .file = w->warden->config->file,
        .listeners = listeners,
        .pins = pins,
    };

    arena_reset(w->warden->turn);
    TRY(message_start_write(&m, w->warden->turn, &body));
    ward_send(w, MESSAGE_START, 0, body, -1);
out:
    return e;
}

static struct err *start(struct ward *w)
{
    struct err *e = NULL;
    struct channel_events events = {on_frame, on_close, w};
    struct descriptors d = {.n = 0};
    const char *const argv[] = {"chanceryd", "--role", process_row(w->kind)->name, NULL};
    int pair[2] = {-1, -1};

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_sys(ERR_NOMEM, errno, "socketpair");
    put(&d, pair[1]);
    put(&d, w->warden->setup.metrics_fd);
    put(&d, w->warden->generation_fd);
    size_t before = d.n;
    put_listeners(w, &d);
    unsigned listeners = (unsigned)(d.n - before);
    TRY(put_pins(w, &d));
    TRY(reexec(d.fds, d.n, argv, &w->pid));
    w->channel = channel_new(w->warden->setup.loop, pair[0], events);
    pair[0] = -1;
    TRY(say_start(w, listeners, (unsigned)d.pins_n));
out:
    for (size_t i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    for (size_t i = 0; i < d.pins_n; i++)
        close(d.pins[i]);
    return e;
}

static void again(struct ward *w, bool was_ready)
{
    int64_t wait = restart_after(&w->restart, world_mono_ms(), was_ready);

    metric_add(METRIC_RESTARTS, 1);
    if (restart_broken(&w->restart))
        log_error("child.breaker", log_text("child", w->name), log_num("starts", w->restart.failed),
                  log_num("next_ms", wait));
    loop_timer_set(w->timer, wait);
}

void ward_start(struct ward *w)
{
    set_state(w, WARD_STARTING);
    w->pong_ms = w->since_ms;
    w->serving = false;
    w->jail = (struct jail_state){0};
    struct err *e = start(w);
    if (!e) {
        log_info("child.start", log_text("child", w->name), log_num("pid", w->pid));
        return;
    }
    log_error("child.start", log_text("child", w->name), log_err(e));
    err_free(e);
    if (w->pid > 0) {
        ward_kill(w, "it could not be told what to do");
        return;
    }
    set_state(w, WARD_DOWN);
    again(w, false);
}

/* --- ending --- */

static void say_ended(const struct ward *w, int status)
{
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    enum log_level level = w->state == WARD_STOPPING && status == 0 ? LOG_INFO : LOG_WARN;
    const struct log_field fields[] = {log_text("child", w->name), log_num("pid", w->pid),
                                       log_num("status", code), log_num("signal", signal_number)};
    log_event(level, "child.ended", fields, sizeof fields / sizeof *fields);
}

void ward_ended(struct ward *w, int status)
{
    bool was_ready = w->state == WARD_READY;

    say_ended(w, status);
    channel_free(w->channel);
    w->channel = NULL;
    w->pid = 0;
    w->serving = false;
    set_state(w, WARD_DOWN);
    if (w->warden->phase == WARDEN_RUNS)
        again(w, was_ready);
}
