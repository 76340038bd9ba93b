/*
 * chanceryd. The warden's life as a table of stages: each is run in order; what was done is undone in the
 * opposite order. A child of ours comes here too (--role) and goes to child.c. One thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/metric.h"
#include "child.h"
#include "keep.h"
#include "notify.h"
#include "options.h"
#include "prove.h"
#include "sockets.h"
#include "warden.h"

#ifndef CHANCERY_VERSION
#define CHANCERY_VERSION "unknown"
#endif

struct run {
    const struct options *options;
    struct arena *arena;
    struct view config_bytes;
    struct config *config; /* until the warden takes it */
    const char *pid_path;
    struct users users;
    int lock_fd, generation_fd, metrics_fd;
    uint8_t sha256[SHA256_BYTES];
    struct sockets sockets;
    struct loop *loop;
    struct warden *warden;
    int status;
};

/* --- stages: run and undo --- */

static struct err *run_config(struct run *r)
{
    struct err *e = config_load(r->options->file, r->arena, &r->config_bytes, &r->config);
    if (!e)
        log_setup("warden", r->config->log == 1, (enum log_level)r->config->log_level);
    return e;
}

static void undo_config(struct run *r)
{
    config_free(r->config);
}

static struct err *run_self(struct run *r)
{
    struct rlimit files, no_core = {0, 0};

    (void)r;
    umask(022);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(ERR_IO, errno, "core dumps");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return NULL;
}

static struct err *run_users(struct run *r)
{
    struct err *e = NULL;

    TRY(users_find(r->config, &r->users));
    TRY(prove_isolation(r->config, &r->users));
out:
    return e;
}

static void on_finding(void *arg, bool wrong, const char *what)
{
    (void)arg;
    if (wrong)
        log_error("check", log_text("what", what));
}

static struct err *run_folders(struct run *r)
{
    struct err *e = NULL;

    TRY(folders_make(r->config, &r->users));
    if (!folders_check(r->config, &r->users, on_finding, NULL))
        e = err_new(ERR_CONFIG, "folders or files have a wrong owner or mode (see above)");
out:
    return e;
}

static struct err *run_lock(struct run *r)
{
    const char *path = arena_printf(r->arena, "%s/warden.lock", r->config->paths.run);
    struct err *e = file_lock(path, &r->lock_fd);
    if (e && err_code(e) == ERR_WRONG_STATE)
        e = err_wrap(e, "a chanceryd runs here already");
    return e;
}

static void undo_lock(struct run *r)
{
    close(r->lock_fd);
}

static struct err *run_generation(struct run *r)
{
    struct err *e = NULL;
    struct generation g;
    char hex[2 * SHA256_BYTES + 1];

    TRY(config_gather(r->config, r->config_bytes, 1, r->arena, &g));
    TRY(generation_seal(&g, r->sha256, &r->generation_fd));
    TRY(prove_generation(r->generation_fd, r->config, &r->users));
    hex_put(hex, view_of(r->sha256, SHA256_BYTES));
    log_info("generation", log_num("number", 1), log_text("sha256", hex), log_num("files", (long long)g.n));
    keep_generation(r->config, r->generation_fd);
out:
    return e;
}

static void undo_generation(struct run *r)
{
    if (!r->warden) /* else it has taken it */
        close(r->generation_fd);
}

static struct err *run_metrics(struct run *r)
{
    return metric_page_new(&r->metrics_fd);
}

static void undo_metrics(struct run *r)
{
    close(r->metrics_fd);
}

static struct err *run_sockets(struct run *r)
{
    return sockets_open(r->config, &r->sockets);
}

static void undo_sockets(struct run *r)
{
    sockets_close(&r->sockets);
}

static struct err *run_pid(struct run *r)
{
    r->pid_path = arena_printf(r->arena, "%s/pid", r->config->paths.run);
    return file_write(r->pid_path, view_str(arena_printf(r->arena, "%d\n", (int)getpid())), 0644);
}

static void undo_pid(struct run *r)
{
    unlink(r->pid_path);
}

static struct err *run_loop(struct run *r)
{
    return loop_new(&r->loop);
}

static void undo_loop(struct run *r)
{
    loop_free(r->loop);
}

static void on_signal(void *arg, int signo)
{
    struct run *r = arg;

    switch (signo) {
    case SIGCHLD:
        warden_reap(r->warden);
        return;
    case SIGHUP:
        warden_reload(r->warden);
        return;
    case SIGUSR1:
        warden_retry_pin(r->warden);
        return;
    case SIGUSR2:
        warden_change_pin(r->warden);
        return;
    default:
        notify("STOPPING=1");
        warden_stop(r->warden);
        return;
    }
}

static void on_serving(void *arg)
{
    (void)arg;
    notify("READY=1");
}

static struct err *run_warden(struct run *r)
{
    static const int signals[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    const struct warden_setup setup = {
        .loop = r->loop,
        .sockets = &r->sockets,
        .users = &r->users,
        .metrics_fd = r->metrics_fd,
        .on_serving = on_serving,
    };

    r->warden = warden_new(&setup, &r->config, r->generation_fd, r->sha256);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        loop_signal(r->loop, signals[i], on_signal, r);
    return NULL;
}

static void undo_warden(struct run *r)
{
    warden_free(r->warden);
}

static struct err *run_house(struct run *r)
{
    log_info("start", log_text("version", CHANCERY_VERSION), log_num("pid", getpid()));
    warden_start(r->warden);
    loop_run(r->loop);
    r->status = warden_status(r->warden);
    log_info("stopped");
    return NULL;
}

static const struct stage {
    const char *name;
    struct err *(*run)(struct run *r);
    void (*undo)(struct run *r); /* NULL: nothing */
} stages[] = {
    {"configuration", run_config, undo_config},
    {"self", run_self, NULL},
    {"users", run_users, NULL},
    {"folders", run_folders, NULL},
    {"lock", run_lock, undo_lock},
    {"generation", run_generation, undo_generation},
    {"metrics", run_metrics, undo_metrics},
    {"sockets", run_sockets, undo_sockets},
    {"pid", run_pid, undo_pid},
    {"loop", run_loop, undo_loop},
    {"warden", run_warden, undo_warden},
    {"house", run_house, NULL},
};
enum { STAGES = sizeof stages / sizeof *stages };

static int run_stages(const struct options *options)
{
    struct run r = {.options = options, .arena = arena_new(GENERATION_ARENA_BYTES)};
    size_t done = 0;

    log_setup("warden", false, LOG_INFO);
    for (; done < STAGES; done++) {
        struct err *e = stages[done].run(&r);
        if (!e)
            continue;
        log_error("cannot-start", log_text("stage", stages[done].name), log_err(e));
        err_free(e);
        r.status = 1;
        break;
    }
    while (done-- > 0)
        if (stages[done].undo)
            stages[done].undo(&r);
    arena_free(r.arena);
    return r.status;
}

int main(int argc, char *argv[])
{
    struct options o = options_parse(argc, argv);

    switch (o.mode) {
    case OPTIONS_WRONG:
        return 2;
    case OPTIONS_HELP:
        options_help();
        return 0;
    case OPTIONS_KEYS:
        options_keys();
        return 0;
    case OPTIONS_VERSION:
        printf("chanceryd %s\n", CHANCERY_VERSION);
        return 0;
    case OPTIONS_CHECK:
        return prove_all(o.file);
    case OPTIONS_ROLE:
        child_main(o.role);
    case OPTIONS_RUN:
        break;
    }
    return run_stages(&o);
}
