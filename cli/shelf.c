/*
 * `chancery shelf send`, `receive` and `position`: what the responders serve, as a stream to another host.
 * The stream goes through standard output and input, so that who may read it, and over what, is ssh's or
 * socat's to say. Needs no daemon.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/world.h"
#include "cli.h"
#include "ledger_stream.h"

enum { FOLLOW_MS = 100, RECORD_ARENA_BYTES = 4 << 20 };

static struct err *folder_of(struct cli *c, const char *given, const char **ret)
{
    struct config *config = NULL;
    if (given) {
        *ret = given;
        return NULL;
    }
    struct err *e = cli_config(c, &config);
    if (e)
        return e;
    *ret = arena_str(c->arena, view_str(config->paths.shelf));
    config_free(config);
    return NULL;
}

static struct err *give(void *arg, const struct frame *record)
{
    (void)arg;
    return frame_write(STDOUT_FILENO, record);
}

static void wait_a_little(void)
{
    const struct timespec t = {.tv_nsec = FOLLOW_MS * 1000000L};
    (void)nanosleep(&t, NULL);
}

struct err *shelf_send(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *dir = NULL, *from = NULL;
    bool on = false;
    struct stream_sender *s = NULL;
    const struct cli_option options[] = {{.name = "--shelf", .text = &dir},
                                         {.name = "--from", .text = &from},
                                         {.name = "--follow", .flag = &on}};
    TRY(cli_options(options, 3, &argc, argv, 0, 0));
    if (isatty(STDOUT_FILENO))
        TRY(cli_usage(
            "the stream is for a program: `chancery shelf send --follow | ssh HOST chancery shelf receive`"));
    TRY(folder_of(c, dir, &dir));
    TRY(stream_sender_new(dir, from, give, NULL, &s));
    TRY(stream_sender_send(s));
    while (on) {
        wait_a_little();
        TRY(stream_sender_send(s));
    }
out:
    stream_sender_free(s);
    return e;
}

static struct err *take_all(struct stream_receiver *r)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(RECORD_ARENA_BYTES);
    struct frame record;
    while (!e) {
        arena_reset(arena);
        e = frame_read(STDIN_FILENO, arena, &record);
        if (!e && record.fd >= 0)
            close(record.fd);
        if (!e)
            e = stream_receiver_take(r, &record);
    }
    arena_free(arena);
    if (err_code(e) != ERR_CANCELLED)
        return e;
    err_free(e); /* the stream has ended */
    return NULL;
}

struct err *shelf_receive(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *dir = NULL;
    struct stream_receiver *r = NULL;
    const struct cli_option options[] = {{.name = "--shelf", .text = &dir}};
    TRY(cli_options(options, 1, &argc, argv, 0, 0));
    TRY(folder_of(c, dir, &dir));
    TRY(stream_receiver_new(dir, &r));
    TRY(take_all(r));
out:
    stream_receiver_free(r);
    return e;
}

struct err *shelf_position(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *dir = NULL;
    char at[STREAM_POSITION_BYTES];
    struct stream_receiver *r = NULL;
    const struct cli_option options[] = {{.name = "--shelf", .text = &dir}};
    TRY(cli_options(options, 1, &argc, argv, 0, 0));
    TRY(folder_of(c, dir, &dir));
    TRY(stream_receiver_new(dir, &r));
    TRY(stream_receiver_position(r, at));
    if (c->json)
        printf("{\"position\": \"%s\"}\n", at);
    else
        puts(at);
out:
    stream_receiver_free(r);
    return e;
}
