/*
 * The vault's channels: attaching (an older one of that kind is dropped first), reading frames, holding each
 * to the closed list, answering. A peer that breaks the form is cut off. Never parses a body itself. The
 * vault's loop.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "base/log.h"
#include "base/metric.h"
#include "vault.h"

static vault_handler *const handlers[FRAMES__LAST] = {
    [FRAMES_LEASE] = vault_cert_lease,
    [FRAMES_SEAL_CERT] = vault_cert_seal,
    [FRAMES_SEAL_CRL] = vault_crl_seal,
    [FRAMES_SEAL_OCSP] = vault_ocsp_seal,
    [FRAMES_OCSP_KEY] = vault_ocsp_key,
    [FRAMES_ROLL_READ] = vault_roll_read,
    [FRAMES_ROLL_FIND] = vault_roll_find,
    [FRAMES_STATUS] = vault_status,
    [FRAMES_INFO] = vault_info,
    [FRAMES_NONCE] = vault_nonce,
    [FRAMES_KEY_GENERATE] = vault_ceremony_key,
    [FRAMES_SEAL_CA] = vault_ceremony_seal,
    [FRAMES_ACT] = vault_act_do,
    [FRAMES_FREEZE] = vault_freeze,
    [FRAMES_JUDGE_CERT] = vault_cert_judge,
    [FRAMES_SEAL_PROVED] = vault_cert_seal_proved,
    [FRAMES_SEAL_CSR] = vault_request_seal,
    [FRAMES_SEAL_OTHER] = vault_other_seal,
    [FRAMES_ADOPT] = vault_ceremony_adopt,
    [FRAMES_KEY_FIND] = vault_ceremony_find,
    [FRAMES_SEAL_GRANTED] = vault_grant_seal,
    [FRAMES_CRL_FLOOR] = vault_crl_floor,
    [FRAMES_LOG_KEY] = vault_log_key,
    [FRAMES_LAST_HEAD] = vault_head_last,
    [FRAMES_SEAL_HEAD] = vault_head_seal,
};

struct vault_peer *vault_peer_hold(struct vault_peer *p)
{
    p->refs++;
    return p;
}

void vault_peer_release(struct vault_peer *p)
{
    if (--p->refs > 0)
        return;
    CHECK(p->channel == NULL);
    lease_free(p->leases);
    free(p);
}

/* The vault forgets it: the channel closes, its leases are void; answers still owed find no channel. */
static void peer_drop(struct vault_peer **slot)
{
    struct vault_peer *p = *slot;
    if (!p)
        return;
    *slot = NULL;
    channel_free(p->channel);
    p->channel = NULL;
    lease_free(p->leases);
    p->leases = NULL;
    vault_peer_release(p);
}

static struct vault_peer **slot_of(struct vault_peer *p)
{
    struct hsm_vault *v = p->v;
    if (p->kind == HSM_PEER_FRONT)
        return &v->front;
    if (p->kind == HSM_PEER_INIT)
        return &v->init;
    for (size_t i = 0; i < VAULT_RESPONDERS_MAX; i++)
        if (v->responder[i] == p)
            return &v->responder[i];
    UNREACHABLE();
}

static void peer_gone(struct vault_peer *p)
{
    struct loop *stop = p->kind == HSM_PEER_INIT ? p->v->stop_with_init : NULL;
    peer_drop(slot_of(p));
    if (stop)
        loop_stop(stop);
}

static void on_close(void *arg, struct err *why)
{
    struct vault_peer *p = arg;
    if (why)
        log_error("channel.violation", log_text("peer", frames_peer_name(p->kind)), log_err(why));
    err_free(why);
    peer_gone(p);
}

static void send_frame(struct vault_peer *p, enum frames_kind kind, uint64_t id, struct view body)
{
    if (!p->channel)
        return;
    struct frame f = {
        .kind = (uint16_t)kind, .generation = p->v->house->generation, .id = id, .body = body, .fd = -1};
    struct err *e = channel_send(p->channel, &f);
    if (!e)
        return;
    log_error("channel.send", log_text("peer", frames_peer_name(p->kind)), log_err(e));
    err_free(e);
    peer_gone(p);
}

void vault_peer_answer(struct vault_peer *p, uint64_t id, struct view body)
{
    send_frame(p, FRAMES_RESULT, id, body);
}

struct err *vault_peer_answer_octets(struct vault_peer *p, uint64_t id, struct view octets)
{
    struct arena *arena = arena_new(8192);
    struct der_out out;
    struct view body;
    der_out_init(&out, arena, 4096);
    der_put_octets(&out, octets);
    struct err *e = der_out_done(&out, &body);
    if (!e)
        vault_peer_answer(p, id, body);
    arena_free(arena);
    return e;
}

void vault_peer_refuse(struct vault_peer *p, uint64_t id, struct err *e)
{
    struct arena *arena = arena_new(64 * 1024);
    send_frame(p, FRAMES_REFUSED, id, frames_write_refused(e, arena));
    arena_free(arena);
    err_free(e);
}

struct err *vault_peer_malformed(struct err *e)
{
    if (!e)
        return NULL;
    struct err *ret = err_new(ERR_PROTOCOL, "a body that is not as agreed: %s", err_detail(e));
    err_free(e);
    return ret;
}

/* What a responder asks for strangers asked it for: their number must not fill the log. */
static void say_refused(const struct vault_peer *p, uint16_t kind, const struct err *e)
{
    log_event(p->kind == HSM_PEER_RESPONDER ? LOG_DEBUG : LOG_INFO, "vault.refused",
              (const struct log_field[]){log_text("peer", frames_peer_name(p->kind)),
                                         log_text("frame", frames_row(kind)->name), log_err(e)},
              3);
}

/* The peer must outlive the handler: an answer that cannot be sent drops it. */
static void on_frame(void *arg, struct frame *f)
{
    struct vault_peer *p = vault_peer_hold(arg);
    struct hsm_vault *v = p->v;
    struct vault_call call = {.v = v,
                              .peer = p,
                              .id = f->id,
                              .kind = f->kind,
                              .generation = f->generation,
                              .body = f->body,
                              .fd = f->fd,
                              .arena = v->scratch};
    struct err *e = frames_allowed(p->kind, f->kind, f->body.n);
    if (!e && !handlers[f->kind])
        e = err_new(ERR_PROTOCOL, "not a question");
    if (!e && (f->fd >= 0) != (f->kind == FRAMES_SEAL_CRL))
        e = err_new(ERR_PROTOCOL, "%s with%s a descriptor", frames_row(f->kind)->name,
                    f->fd >= 0 ? "" : "out");
    if (!e)
        e = handlers[f->kind](&call);
    arena_reset(v->scratch);
    if (e && err_code(e) == ERR_PROTOCOL) {
        log_error("channel.violation", log_text("peer", frames_peer_name(p->kind)), log_err(e));
        err_free(e);
        if (p->channel)
            peer_gone(p);
    } else if (e) {
        metric_add(METRIC_SEALS_REFUSED, 1);
        say_refused(p, f->kind, e);
        vault_peer_refuse(p, f->id, e);
    }
    vault_peer_release(p);
}

static void say_drained(struct vault_peer *p)
{
    struct arena *arena = arena_new(4096);
    struct der_out out;
    struct view body;
    der_out_init(&out, arena, 64);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, p->v->house->generation);
    der_put_uint(&out, p->kind == HSM_PEER_RESPONDER ? 0 : roll_file_n(p->v->roll));
    der_finish(&out, m);
    struct err *e = der_out_done(&out, &body);
    CHECK(e == NULL);
    send_frame(p, FRAMES_DRAINED, 0, body);
    arena_free(arena);
}

static struct vault_peer **free_slot(struct hsm_vault *v, enum hsm_peer kind)
{
    if (kind == HSM_PEER_FRONT)
        return &v->front;
    if (kind == HSM_PEER_INIT)
        return &v->init;
    for (size_t i = 0; i < VAULT_RESPONDERS_MAX; i++)
        if (!v->responder[i])
            return &v->responder[i];
    return NULL;
}

void hsm_vault_attach(struct hsm_vault *v, enum hsm_peer kind, int fd)
{
    struct vault_peer **slot = free_slot(v, kind);
    if (!slot) {
        log_error("channel.too_many", log_text("peer", frames_peer_name(kind)));
        close(fd);
        return;
    }
    /* What the old channel had queued is read by nobody any more; what it had in hand is in the roll already.
     */
    peer_drop(slot);
    struct vault_peer *p = calloc(1, sizeof *p);
    CHECK(p != NULL);
    p->v = v;
    p->kind = kind;
    p->refs = 1;
    p->leases = kind == HSM_PEER_RESPONDER ? NULL : lease_new();
    p->channel = channel_new(v->loop, fd,
                             (struct channel_events){.on_frame = on_frame, .on_close = on_close, .arg = p});
    *slot = p;
    log_info("channel.attached", log_text("peer", frames_peer_name(kind)),
             log_num("n", (long long)roll_file_n(v->roll)));
    say_drained(p);
}

void vault_peer_drop_all(struct hsm_vault *v)
{
    peer_drop(&v->front);
    peer_drop(&v->init);
    for (size_t i = 0; i < VAULT_RESPONDERS_MAX; i++)
        peer_drop(&v->responder[i]);
}
