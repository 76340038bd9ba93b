/*
 * From descriptors to a running role, as a table of stages; then the frames of the warden until it says STOP.
 * Never forks, never listens to anybody but the warden on descriptor 3. Ends with _exit: no library's exit
 * handlers run in a process that holds a vendor's code (and none can hang it).
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/metric.h"
#include "process.h"
#include "reexec.h"

enum {
    FD_CHANNEL = REEXEC_FIRST_FD,
    FD_METRICS,
    FD_GENERATION,
    FD_LISTENERS,
    ARENA_BYTES = 1 << 20,
};

struct child {
    const char *name;
    struct arena *arena; /* what lives as long as the process */
    struct arena *turn;  /* what lives for one frame */
    struct message_start start;
    struct setup *setup, *previous; /* previous: requests under way may still borrow from it */
    struct setup *next;             /* prepared */
    struct jail_state jail;
    const struct child_role *role;
    void *self;
    struct loop *loop;
    struct channel *channel;
    struct err *why; /* of the end */
    bool ended;
};

struct loop *child_loop(struct child *c)
{
    return c->loop;
}

struct setup *child_setup(struct child *c)
{
    return c->setup;
}

unsigned child_index(const struct child *c)
{
    return c->start.index;
}

const struct jail_state *child_jail(const struct child *c)
{
    return &c->jail;
}

size_t child_listeners(const struct child *c)
{
    return c->start.listeners;
}

int child_listener(const struct child *c, size_t i)
{
    CHECK(i < c->start.listeners);
    return FD_LISTENERS + (int)i;
}

int child_pin(const struct child *c)
{
    return c->start.pins ? FD_LISTENERS + (int)c->start.listeners : -1;
}

uid_t child_owner(const struct child *c)
{
    return c->start.owner;
}

void child_stop(struct child *c, struct err *why)
{
    if (c->ended) {
        err_free(why);
        return;
    }
    c->ended = true;
    c->why = why;
    loop_stop(c->loop);
}

/* --- talking to the warden --- */

static void answer(struct child *c, enum message kind, uint64_t id, struct view body)
{
    struct frame f = {
        .kind = (uint16_t)kind, .generation = c->setup->generation.number, .id = id, .body = body, .fd = -1};
    struct err *e = channel_send(c->channel, &f);
    if (e)
        child_stop(c, e);
}

void child_serving(struct child *c)
{
    answer(c, MESSAGE_SERVING, 0, (struct view){NULL, 0});
}

void child_pin_changed(struct child *c, size_t token, unsigned outcome, const char *why)
{
    struct view body;
    arena_reset(c->turn);
    struct err *e = message_pin_changed_write((unsigned)token, outcome, why, c->turn, &body);
    if (e)
        child_stop(c, e);
    else
        answer(c, MESSAGE_PIN_CHANGED, 0, body);
}

static void forget_next(struct child *c)
{
    setup_free(c->next);
    c->next = NULL;
}

static struct err *read_next(struct child *c, int fd)
{
    struct err *e = NULL;
    struct setup *next = NULL;

    TRY(setup_read(fd, c->start.file, &next));
    TRY(c->role->prepare(c->self, next));
    c->next = next;
    next = NULL;
out:
    setup_free(next);
    return e;
}

static void prepare(struct child *c, const struct frame *f)
{
    struct view body;

    if (c->next) { /* a reload that was given up without our hearing of it */
        c->role->abort(c->self);
        forget_next(c);
    }
    struct err *e = f->fd < 0 ? err_new(ERR_PROTOCOL, "no generation came") : read_next(c, f->fd);
    if (e)
        log_warn("generation.refused", log_err(e));
    arena_reset(c->turn);
    struct err *e2 = message_prepared_write(e ? err_detail(e) : "", c->turn, &body);
    err_free(e);
    if (e2) {
        child_stop(c, e2);
        return;
    }
    answer(c, MESSAGE_PREPARED, f->id, body);
}

static void commit(struct child *c, const struct frame *f)
{
    if (!c->next) {
        child_stop(c, err_new(ERR_PROTOCOL, "nothing was prepared"));
        return;
    }
    c->role->commit(c->self, c->next);
    setup_free(c->previous);
    c->previous = c->setup;
    c->setup = c->next;
    c->next = NULL;
    log_info("generation", log_num("number", c->setup->generation.number));
    answer(c, MESSAGE_COMMITTED, f->id, (struct view){NULL, 0});
}

static void abandon(struct child *c)
{
    if (!c->next)
        return;
    c->role->abort(c->self);
    forget_next(c);
}

static struct err *attach(struct child *c, struct frame *f)
{
    struct err *e = NULL;
    enum message_process peer;
    unsigned index;

    TRY(message_attach_read(f->body, &peer, &index));
    if (f->fd < 0)
        return err_new(ERR_PROTOCOL, "ATTACH without a descriptor");
    c->role->attach(c->self, peer, index, f->fd);
    f->fd = -1;
out:
    return e;
}

static struct err *show_status(struct child *c, const struct frame *f)
{
    struct err *e = NULL;
    struct message_status status;

    if (!c->role->status)
        return NULL;
    arena_reset(c->turn);
    TRY(message_status_read(f->body, c->turn, &status));
    c->role->status(c->self, &status);
out:
    return e;
}

/* RETRY_PIN, CHANGE_PIN. */
static struct err *new_pin(struct child *c, struct frame *f)
{
    struct err *e = NULL;
    int fd = f->fd;
    unsigned token;
    TRY(message_pin_read(f->body, &token));
    if (!c->role->retry_pin || fd < 0 || token >= c->start.pins)
        TRY(err_new(ERR_PROTOCOL, "%s out of place", message_name(f->kind)));
    f->fd = -1;
    if (f->kind == MESSAGE_RETRY_PIN)
        c->role->retry_pin(c->self, token, fd);
    else
        c->role->change_pin(c->self, token, fd);
out:
    return e;
}

static struct err *dispatch(struct child *c, struct frame *f)
{
    struct err *e = message_check(f, MESSAGE_FROM_WARDEN);
    if (e)
        return e;
    switch (f->kind) {
    case MESSAGE_PREPARE:
        prepare(c, f);
        return NULL;
    case MESSAGE_COMMIT:
        commit(c, f);
        return NULL;
    case MESSAGE_ABORT:
        abandon(c);
        return NULL;
    case MESSAGE_ATTACH:
        return attach(c, f);
    case MESSAGE_PING:
        answer(c, MESSAGE_PONG, f->id, (struct view){NULL, 0});
        return NULL;
    case MESSAGE_STATUS:
        return show_status(c, f);
    case MESSAGE_RETRY_PIN:
    case MESSAGE_CHANGE_PIN:
        return new_pin(c, f);
    case MESSAGE_STOP:
        c->role->stop(c->self);
        return NULL;
    default:
        return err_new(ERR_PROTOCOL, "a second %s", message_name(f->kind));
    }
}

static void on_frame(void *arg, struct frame *f)
{
    struct child *c = arg;
    struct err *e = dispatch(c, f);
    if (e)
        child_stop(c, e);
}

static void on_close(void *arg, struct err *why)
{
    err_free(why);
    child_stop(arg, err_new(ERR_CANCELLED, "the warden is gone"));
}

/* --- stages --- */

static struct err *run_signals(struct child *c)
{
    /* The warden says when it is time; a terminal's signals go to the whole group. */
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NAME, arena_printf(c->arena, "chan-%s", c->name), 0, 0, 0);
    if (chdir("/") != 0)
        return err_sys(ERR_IO, errno, "chdir");
    return NULL;
}

static struct err *run_start(struct child *c)
{
    struct err *e = NULL;
    struct frame f = {.fd = -1};

    if (fcntl(FD_CHANNEL, F_GETFD) < 0)
        return err_new(ERR_WRONG_STATE, "roles are started by chanceryd itself");
    TRY(frame_read(FD_CHANNEL, c->turn, &f));
    TRY(message_check(&f, MESSAGE_FROM_WARDEN));
    if (f.kind != MESSAGE_START)
        return err_new(ERR_PROTOCOL, "START must come first");
    TRY(message_start_read(f.body, c->arena, &c->start));
    if (strcmp(process_row(c->start.process)->name, c->name) != 0)
        return err_new(ERR_PROTOCOL, "started as %s, called %s", process_row(c->start.process)->name,
                       c->name);
    c->role = process_row(c->start.process)->role;
    reexec_close_from(FD_LISTENERS + c->start.listeners + c->start.pins);
out:
    if (f.fd >= 0)
        close(f.fd);
    return e;
}

static struct err *run_metrics(struct child *c)
{
    (void)c;
    struct err *e = metric_page_join(FD_METRICS);
    close(FD_METRICS);
    return e;
}

static struct err *run_generation(struct child *c)
{
    struct err *e = setup_read(FD_GENERATION, c->start.file, &c->setup);
    close(FD_GENERATION);
    if (e)
        return e;
    if (c->start.index >= process_count(c->start.process, c->setup->config))
        return err_new(ERR_PROTOCOL, "there is no %s with index %u", c->name, c->start.index);
    const char *name = process_label(c->start.process, c->start.index, c->setup->config, c->arena);
    log_setup(name, c->setup->config->log == 1, (enum log_level)c->setup->config->log_level);
    return NULL;
}

static struct err *run_jail(struct child *c)
{
    struct err *e = NULL;
    struct jail jail = {
        .parent = c->start.warden,
        .drop = c->start.drop,
        .own_user = c->start.own_user,
        .uid = c->start.uid,
        .gid = c->start.gid,
    };

    jail.connects = process_connects(c->start.process, c->start.index, c->setup->config);
    jail.paths = process_paths(c->start.process, c->start.index, c->setup->config, c->arena, &jail.n);
    TRY(jail_enter(&jail, &c->jail));
    log_info("isolation", log_text("level", jail_level_text(jail_level(&c->jail))),
             log_text("what", jail_text(&c->jail, c->arena)));
out:
    return e;
}

static struct err *run_channel(struct child *c)
{
    struct err *e = NULL;
    struct channel_events events = {on_frame, on_close, c};

    TRY(loop_new(&c->loop));
    c->channel = channel_new(c->loop, FD_CHANNEL, events);
out:
    return e;
}

static struct err *run_role(struct child *c)
{
    struct err *e = NULL;
    struct view body;

    TRY(c->role->open(c, &c->self));
    TRY(message_ready_write(&c->jail, c->arena, &body));
    answer(c, MESSAGE_READY, 0, body);
out:
    return e;
}

static struct err *run_loop(struct child *c)
{
    if (!c->ended)
        loop_run(c->loop);
    c->role->close(c->self);
    return c->why;
}

static const struct stage {
    const char *name;
    struct err *(*run)(struct child *c);
} stages[] = {
    {"signals", run_signals}, {"start", run_start},
    {"metrics", run_metrics}, {"generation", run_generation},
    {"jail", run_jail},       {"channel", run_channel},
    {"role", run_role},       {"loop", run_loop},
};

_Noreturn void child_main(const char *name)
{
    struct child c = {.name = name, .arena = arena_new(ARENA_BYTES), .turn = arena_new(ARENA_BYTES)};

    log_setup(name, false, LOG_INFO);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        struct err *e = stages[i].run(&c);
        if (e) {
            log_error("ended", log_text("stage", stages[i].name), log_err(e));
            _exit(1);
        }
    }
    log_info("ended");
    _exit(0);
}
