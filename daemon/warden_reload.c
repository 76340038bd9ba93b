/*
 * A reload from the warden's side: reads the files, refuses what only a restart can change, seals the next
 * generation, and moves reload.c along with the children's answers. One at a time. The warden's thread.
 */
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/world.h"
#include "keep.h"
#include "ward.h"

static void forget_next(struct warden *w)
{
    config_free(w->next_config);
    w->next_config = NULL;
    if (w->next_fd >= 0)
        close(w->next_fd);
    w->next_fd = -1;
}

static struct err *read_next(struct warden *w, struct arena *arena)
{
    struct err *e = NULL;
    struct generation g;
    struct view bytes;

    TRY(config_load(w->config->file, arena, &bytes, &w->next_config));
    const char *key = config_needs_restart(w->config, w->next_config);
    if (key)
        return err_new(ERR_WRONG_STATE, "`%s` has changed, and only a restart can change it", key);
    TRY(config_gather(w->next_config, bytes, w->generation + 1, arena, &g));
    TRY(generation_seal(&g, w->next_sha256, &w->next_fd));
out:
    return e;
}

/* --- what reload.c asks for --- */

static void act_send(void *arg, size_t child, enum reload_send what)
{
    static const enum message kinds[] = {
        [RELOAD_PREPARE] = MESSAGE_PREPARE, [RELOAD_COMMIT] = MESSAGE_COMMIT, [RELOAD_ABORT] = MESSAGE_ABORT};
    struct warden *w = arg;
    int fd = what == RELOAD_PREPARE ? w->next_fd : -1;

    w->reload_ms = world_mono_ms();
    ward_send(&w->wards[child], kinds[what], w->reload_id, (struct view){NULL, 0}, fd);
}

static void act_turn(void *arg)
{
    struct warden *w = arg;

    close(w->generation_fd);
    w->generation_fd = w->next_fd;
    w->next_fd = -1;
    config_free(w->config);
    w->config = w->next_config;
    w->next_config = NULL;
    w->generation++;
    memcpy(w->sha256, w->next_sha256, SHA256_BYTES);
    for (size_t i = 0; i < w->vaults_n; i++)
        if (w->reload.absent[i] && w->wards[i].state != WARD_DOWN)
            ward_kill(&w->wards[i], "it was started on the generation before");
}

static void act_done(void *arg, const char *why)
{
    struct warden *w = arg;
    char hex[2 * SHA256_BYTES + 1];

    if (why)
        log_error("reload.refused", log_num("generation", w->generation), log_text("why", why));
    forget_next(w);
    if (why)
        return;
    hex_put(hex, view_of(w->sha256, SHA256_BYTES));
    keep_generation(w->config, w->generation_fd);
    log_info("reload.done", log_num("generation", w->generation), log_text("sha256", hex));
    warden_changed(w);
}

/* Whom the reload needs: all, but of several vaults only those that are there. One that is away reads the
 * new generation when it starts. */
static bool all_ready(const struct warden *w, bool absent[WARD_MAX])
{
    size_t vaults = 0;
    for (size_t i = 0; i < w->n; i++) {
        absent[i] = w->wards[i].state != WARD_READY;
        vaults += i < w->vaults_n && !absent[i];
        if (absent[i] && i >= w->vaults_n)
            return false;
    }
    return w->vaults_n == 0 || vaults > 0;
}

void warden_reload(struct warden *w)
{
    const struct reload_acts acts = {act_send, act_turn, act_done, w};
    const char *busy = NULL;
    bool absent[WARD_MAX];

    if (reload_running(&w->reload))
        busy = "one is under way";
    if (!all_ready(w, absent))
        busy = "a process is not ready";
    if (busy) {
        log_error("reload.refused", log_num("generation", w->generation), log_text("why", busy));
        return;
    }
    struct arena *arena = arena_new(GENERATION_ARENA_BYTES);
    struct err *e = read_next(w, arena);
    arena_free(arena);
    if (e) {
        act_done(w, err_detail(e));
        err_free(e);
        return;
    }
    w->reload_id++;
    w->reload_ms = world_mono_ms();
    reload_start(&w->reload, &acts, w->n, w->vaults_n ? w->vaults_n : 1, absent);
}

void warden_reload_answer(struct warden *w, struct ward *ward, const struct frame *f)
{
    size_t child = (size_t)(ward - w->wards);
    const char *why = "";

    if (f->id != w->reload_id) /* of one that was given up */
        return;
    arena_reset(w->turn);
    if (f->kind == MESSAGE_PREPARED) {
        struct err *e = message_prepared_read(f->body, w->turn, &why);
        if (e) {
            ward_kill(ward, err_detail(e));
            err_free(e);
            return;
        }
    }
    const char *named = why[0] ? arena_printf(w->turn, "%s: %s", ward->name, why) : NULL;
    (void)reload_answer(&w->reload, child, named); /* late ones of the same reload count for nothing */
}

void warden_reload_tick(struct warden *w, int64_t now_ms)
{
    if (!reload_running(&w->reload) || now_ms - w->reload_ms < WARD_RELOAD_MS)
        return;
    w->reload_ms = now_ms;
    for (size_t i = 0; i < w->n; i++)
        if (reload_awaits(&w->reload, i))
            ward_kill(&w->wards[i], "it did not answer a reload in time");
    reload_timeout(&w->reload);
}
