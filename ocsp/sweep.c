/*
 * Keeps the shelf fresh: walks it in small steps and makes anew what has passed half its life, with jitter,
 * so that what was made together does not come due together. And catches up: what the ledger says was revoked
 * since the shelf was last known to be right is made again, whatever happened in between. On the front's
 * loop.
 */
#include <stdio.h>

#include "base/der.h"
#include "base/log.h"
#include "base/world.h"
#include "hsm_house.h"
#include "maker.h"

enum {
    TICK_MS = 1000,
    BUSY_MS = 100, /* while there is more to look at than one tick does */
    LOG_PAGE = 1024,
    NOTE_EVERY = 4096,
    BEHIND_MS = 1000,
    BEHIND_MAX_MS = 60 * 1000,
};

static const char *const note_name = "ocsp/seen";

/* Between 0 and a sixteenth of its life, fixed by the serial's last octet. */
static int64_t jitter(const struct shelf_due *due)
{
    return (due->next_update - due->this_update) / 16 * due->id[SERIAL_BYTES - 1] / 256;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool half_over(const struct shelf_due *due, int64_t now)
{
    return now >= due->this_update + (due->next_update - due->this_update) / 2 - jitter(due);
}

static struct want want_of(const char *issuer, struct view id)
{
    struct want w = {.hash = CERT_OCSP_SHA1};
    snprintf(w.issuer, sizeof w.issuer, "%s", issuer);
    want_of_id(id, &w);
    return w;
}

/* What has expired is no longer kept fresh: asked for again, it is made again. */
static void refresh(struct ocsp_maker *m, const struct want *w, int64_t now)
{
    struct ledger_status status;
    uint8_t id[SHELF_ID_BYTES];
    struct err *e = ledger_status(m->ledger, w->issuer, view_of(w->serial, SERIAL_BYTES), &status);
    if (!e && status.not_after >= now)
        answer_make(m, w, ANSWER_DUE, NULL, NULL);
    else if (!e)
        e = shelf_del_answer(m->shelf, w->issuer, want_id(w, id), NULL, NULL);
    if (e)
        log_warn("ocsp.sweep", log_text("issuer", w->issuer), log_err(e));
    err_free(e);
}

/* Whether there is more to be looked at soon. */
static bool sweep_issuer(struct ocsp_state *s)
{
    struct ocsp_maker *m = s->maker;
    struct shelf_due due[OCSP_LOOK];
    size_t n = 0;
    int64_t now = world_now_s();

    struct err *e = shelf_answers(m->shelf, s->name, view_of(s->swept, s->swept_n), due, OCSP_LOOK, &n);
    if (e)
        log_warn("ocsp.sweep", log_text("issuer", s->name), log_err(e));
    err_free(e);
    for (size_t i = 0; i < n && m->making_n < OCSP_BULK_MAX; i++) {
        struct want w = want_of(s->name, view_of(due[i].id, due[i].id_n));
        memcpy(s->swept, due[i].id, due[i].id_n);
        s->swept_n = due[i].id_n;
        if (half_over(&due[i], now))
            refresh(m, &w, now);
    }
    if (n < OCSP_LOOK)
        s->swept_n = 0;
    return n == OCSP_LOOK;
}

void sweep_tick(void *maker)
{
    struct ocsp_maker *m = maker;
    bool more = false;
    loop_timer_set(m->sweep, TICK_MS);
    if (m->behind && world_mono_ms() >= m->behind_until_ms)
        sweep_catch_up(m);
    for (size_t i = 0; i < m->states_n; i++)
        if (m->states[i].served && signer_holds(&m->states[i].signer) &&
            hsm_ready(hsm_for(m->hsm, m->states[i].name))) {
            more = sweep_issuer(&m->states[i]) || more;
            more = ready_step(&m->states[i]) || more;
        }
    if (more)
        loop_timer_set(m->sweep, BUSY_MS);
}

/* --- catching up --- */

bool sweep_lies_there(struct ocsp_maker *m, const struct want *w)
{
    struct arena *arena = arena_new(256 * 1024);
    struct shelf_item item = {.bytes = {NULL, 0}};
    uint8_t id[SHELF_ID_BYTES];
    struct err *e = shelf_get_answer(m->shelf, w->issuer, want_id(w, id), arena, &item);
    bool there = e || item.bytes.p;
    err_free(e);
    arena_free(arena);
    return there;
}

/* Nothing there and nothing on its way: nothing can be out of date, and the first question makes it. */
static void renew(struct ocsp_maker *m, const struct want *w, bool always)
{
    if (always || answer_under_way(m, w) || sweep_lies_there(m, w))
        answer_make(m, w, ANSWER_CHANGED, NULL, NULL);
}

static void revoked(struct ocsp_maker *m, const char *issuer, struct view serial, bool always)
{
    if (serial.n != SERIAL_BYTES || strlen(issuer) >= sizeof((struct want){0}).issuer)
        return;
    struct want w = want_of(issuer, serial);
    renew(m, &w, always);
    w.hash = CERT_OCSP_SHA256; /* asked for less: only where it was before */
    renew(m, &w, false);
}

void sweep_seen(void *maker, const struct ledger_event *ev)
{
    struct ocsp_maker *m = maker;
    struct ocsp_state *s = maker_state(m, ev->issuer);
    if (m->stopped)
        return;
    m->seen = ev->seq;
    if (ledger_changes_status(ev->kind))
        revoked(m, ev->issuer, ev->serial, s && s->served);
    if (ev->kind == LEDGER_REVOKE && s)
        signer_revoked(s, ev->serial);
    if (ev->kind == LEDGER_RECORD && s)
        ready_seen(s, ev->serial);
    if (m->seen - m->noted >= NOTE_EVERY)
        sweep_note(m);
}

static struct err *catch_up_page(struct ocsp_maker *m, uint64_t *from, bool *ret_more)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(512u << 20);
    const struct ledger_entry *entries;
    size_t n;

    TRY(ledger_log(m->ledger, *from, LOG_PAGE, arena, &entries, &n));
    for (size_t i = 0; i < n; i++)
        if (ledger_changes_status(entries[i].kind))
            revoked(m, entries[i].issuer, entries[i].serial, false);
    *from += n;
    *ret_more = n > 0; /* a page is bounded in octets too */
out:
    arena_free(arena);
    return e;
}

static uint64_t last_entry(struct ocsp_maker *m)
{
    struct ledger_head head;
    struct err *e = ledger_head(m->ledger, &head);
    if (e)
        log_warn("ocsp.note", log_err(e));
    uint64_t seq = e ? 0 : head.entries;
    err_free(e);
    return seq;
}

/* One that cannot be read says nothing: then the whole log is looked at. */
static uint64_t noted_on_shelf(struct ocsp_maker *m, bool *ret_none)
{
    struct arena *arena = arena_new(64 * 1024);
    struct shelf_item item = {.bytes = {NULL, 0}};
    uint64_t seq = 0;
    struct err *e = shelf_get_blob(m->shelf, note_name, arena, &item);
    *ret_none = !e && !item.bytes.p;
    if (!e && item.bytes.p)
        e = der_read_uint(&item.bytes, INT64_MAX, &seq);
    if (e)
        log_warn("ocsp.note", log_err(e));
    err_free(e);
    arena_free(arena);
    return seq;
}

/* The last entry that the shelf is known to show. A shelf without a note is empty: nothing on it can be out
 * of date, everything from now on is seen, and it gets its note before its first answer. A note ahead of the
 * ledger is of one that was put back from a copy since: what it says of entries is of others. */
static uint64_t known_till(struct ocsp_maker *m)
{
    bool none = false;
    uint64_t last = last_entry(m);
    if (!m->caught_up)
        m->noted = noted_on_shelf(m, &none);
    if (!none && m->noted > last)
        m->noted = 0;
    return none ? last : m->noted;
}

static void still_behind(struct ocsp_maker *m, struct err *e)
{
    log_error("ocsp.catch-up", log_err(e));
    err_free(e);
    m->behind = true;
}

void sweep_catch_up(struct ocsp_maker *m)
{
    bool more = true;
    uint64_t from = known_till(m) + 1;
    struct err *e = NULL;

    m->behind_ms = m->behind_ms ? least(2 * m->behind_ms, BEHIND_MAX_MS) : BEHIND_MS;
    m->behind_until_ms = world_mono_ms() + m->behind_ms;
    m->behind = false;
    while (!e && more)
        e = catch_up_page(m, &from, &more);
    if (e) {
        still_behind(m, e);
        return;
    }
    m->caught_up = true;
    m->seen = from - 1 > m->seen ? from - 1 : m->seen;
    sweep_note(m);
}

/* Everything up to `seen` shows on the shelf: remembered, so that a restart need not look at it again. */
void sweep_note(struct ocsp_maker *m)
{
    if (m->stopped || !m->caught_up || m->revocations || m->behind || m->seen == m->noted)
        return;
    struct arena *arena = arena_new(4096);
    struct der_out out;
    struct shelf_item item = {.this_update = world_now_s(), .etag = ""};
    der_out_init(&out, arena, 64);
    der_put_uint(&out, m->seen);
    struct err *e = der_out_done(&out, &item.bytes);
    if (!e)
        e = shelf_put_blob(m->shelf, note_name, &item, NULL, NULL);
    if (!e) {
        m->noted = m->seen;
        m->behind_ms = 0;
    }
    if (e)
        log_warn("ocsp.note", log_err(e));
    err_free(e);
    arena_free(arena);
}
