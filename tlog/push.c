/*
 * Heads taken elsewhere: into a folder, and by the courier to an address of its configuration. What fails is
 * logged and comes with the next head. The pushed head in the folder is read at the start: the ledger is held
 * to it too. The front's loop.
 */
#include "push.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/world.h"
#include "courier.h"

enum { PATH_BYTES = 4096 };

static void path_of(const struct tlog_push *p, char to[PATH_BYTES])
{
    snprintf(to, PATH_BYTES, "%s/checkpoint", p->directory);
}

static void failed(const char *where, struct err *e)
{
    if (e)
        log_warn("log.push", log_text("where", where), log_err(e));
    err_free(e);
}

static void on_put(void *arg, struct err *e)
{
    (void)arg;
    failed("put", e);
}

static struct err *put(const struct tlog_push *p, struct view note)
{
    struct err *e = NULL;
    int fd = -1;
    TRY(file_sealed("checkpoint", note, &fd));
    const struct courier_put what = {
        .issuer = TLOG_PLACE, .name = "checkpoint", .type = "text/plain; charset=utf-8", .fd = fd};
    TRY(courier_put(p->courier, &what, on_put, NULL));
out:
    if (fd >= 0)
        close(fd);
    return e;
}

void push_head(struct push *state, const struct tlog_push *p, const struct tlog_head *head)
{
    char path[PATH_BYTES];
    int64_t now = world_mono_ms();
    struct view note = view_str(head->note);
    if ((!p->directory && !p->put) || head->head.size == state->size ||
        (state->at_ms && now - state->at_ms < p->least_ms))
        return;
    state->at_ms = now;
    state->size = head->head.size;
    if (p->directory) {
        path_of(p, path);
        failed("directory", file_write(path, note, 0644));
    }
    if (p->put)
        failed("put", put(p, note));
}

struct err *push_read(const struct tlog_push *p, struct arena *arena, struct hsm_head *ret)
{
    struct err *e = NULL;
    struct view note;
    char path[PATH_BYTES];
    const char *origin;
    *ret = (struct hsm_head){.size = 0};
    if (!p->directory)
        return NULL;
    path_of(p, path);
    e = file_read(path, HSM_NOTE_MAX, arena, &note);
    if (!e)
        e = hsm_head_peek(note, arena, &origin, ret);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = NULL;
    }
    return e;
}
