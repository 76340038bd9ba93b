/* Starts tests/lib/outside.py and lets a courier's two halves talk over a socketpair, on one loop. */
#include "outside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/world.h"

static void write_zone(const struct outside *o, const char *zone)
{
    char path[128];
    snprintf(path, sizeof path, "%s/zone", o->folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(zone, f);
    fclose(f);
}

static void start(struct outside *o, bool tls)
{
    char zone[128], line[128];
    int in[2], out[2];
    snprintf(zone, sizeof zone, "%s/zone", o->folder);
    assert_int_equal(pipe(in) | pipe(out), 0);
    o->pid = fork();
    assert_true(o->pid >= 0);
    if (o->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execlp("python3", "python3", CHANCERY_OUTSIDE, zone, o->folder, tls ? "--tls" : NULL, NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    o->in = in[1];
    FILE *from = fdopen(out[0], "r");
    assert_non_null(fgets(line, sizeof line, from));
    assert_int_equal(sscanf(line, "dns=%u http=%u tls=%u", &o->dns, &o->http, &o->tls), 3);
    fclose(from);
}

void outside_defaults(struct outside *o)
{
    static const char *const issuers[] = {"ca.example"};
    o->vantages[0] = o->resolver;
    o->how = (struct courier_checking){.vantages = o->vantages,
                                       .vantages_n = 1,
                                       .issuers = issuers,
                                       .issuers_n = 1,
                                       .deadline_s = 5,
                                       .redirects = 4,
                                       .trial = true,
                                       .http_port = (uint16_t)o->http,
                                       .tls_port = (uint16_t)o->tls};
    outside_set(o);
}

void outside_set(struct outside *o)
{
    courier_server_set_checks(o->server, &o->how);
}

struct outside *outside_new(const char *zone, bool tls)
{
    struct outside *o = calloc(1, sizeof *o);
    int pair[2];
    assert_non_null(o);
    snprintf(o->folder, sizeof o->folder, "/tmp/chancery-outside.XXXXXX");
    assert_non_null(mkdtemp(o->folder));
    write_zone(o, zone);
    start(o, tls);
    snprintf(o->resolver, sizeof o->resolver, "127.0.0.1:%u", o->dns);
    assert_null(loop_new(&o->loop));
    assert_null(courier_server_new(o->loop, &o->server));
    o->front = courier_new(o->loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    courier_attach(o->front, pair[0]);
    courier_server_attach(o->server, pair[1]);
    outside_defaults(o);
    return o;
}

void outside_free(struct outside *o)
{
    char command[128];
    courier_free(o->front);
    courier_server_free(o->server);
    loop_free(o->loop);
    close(o->in);
    waitpid(o->pid, NULL, 0);
    snprintf(command, sizeof command, "rm -r '%s'", o->folder);
    assert_int_equal(system(command), 0);
    free(o);
}

/* --- asking --- */

static struct courier_finding last;
static char last_detail[1024];
static int64_t took_ms;

static void found(void *arg, const struct courier_finding *f)
{
    last = *f;
    snprintf(last_detail, sizeof last_detail, "%s", f->detail);
    last.detail = last_detail;
    loop_stop(arg);
}

static void too_late(void *arg)
{
    (void)arg;
    fail_msg("the check did not end");
}

struct courier_finding outside_ask(struct outside *o, const struct courier_check *check)
{
    struct loop_timer *limit = loop_timer_new(o->loop, too_late, NULL);
    int64_t from = world_mono_ms();
    loop_timer_set(limit, 20000);
    assert_null(courier_check(o->front, check, found, o->loop));
    loop_run(o->loop);
    took_ms = world_mono_ms() - from;
    loop_timer_free(limit);
    return last;
}

int64_t outside_took_ms(void)
{
    return took_ms;
}

size_t outside_seen(const struct outside *o, const char *begins)
{
    char path[128], line[512];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/log", o->folder);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f))
        n += strncmp(line, begins, strlen(begins)) == 0;
    fclose(f);
    return n;
}
