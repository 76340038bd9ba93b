/*
 * INFO: what the token, its mechanisms and its keys say of themselves, and how full the vault's lanes are.
 * The token is asked by the worker; for people who look, so one question at a time is enough. The vault's
 * loop, but for ask_run.
 */
#include <stdlib.h>

#include "base/check.h"
#include "token_info.h"
#include "vault.h"

enum { INFO_BYTES = 512 * 1024 };

struct asking_info {
    struct hsm_vault *v;
    struct vault_peer *peer;
    uint64_t id;
    struct arena *arena;
    struct der_out out;
    struct token *tokens[HSM_TOKENS_MAX]; /* that are ready */
    size_t n_tokens;
    size_t groups;
    struct err *e;
};

static void ask_run(void *arg)
{
    struct asking_info *a = arg;
    for (size_t i = 0; i < a->n_tokens && !a->e; i++)
        a->e = token_info_put(a->tokens[i], i == 0, &a->out);
}

static void put_lanes(struct asking_info *a)
{
    for (int lane = 0; lane < SIGNER_LANES; lane++) {
        const struct signer_lane_row *row = signer_lane_row((enum signer_lane)lane);
        size_t fields, m = token_info_begin(&a->out, "lane", &fields);
        token_info_put_text(&a->out, "name", row->name);
        token_info_put_number(&a->out, "waiting", signer_queued(a->v->signer, (enum signer_lane)lane));
        token_info_put_number(&a->out, "under_way", a->v->lanes[lane]);
        token_info_put_number(&a->out, "bound", row->bound);
        token_info_put_number(&a->out, "weight", (uint64_t)row->weight);
        token_info_end(&a->out, m, fields);
    }
}

/* How the last change of each PIN ended. */
static void put_pin_changes(struct asking_info *a)
{
    for (size_t i = 0; i < a->v->n_tokens; i++) {
        const struct vault_token *t = &a->v->tokens[i];
        size_t fields, m;
        if (!t->pin_change)
            continue;
        m = token_info_begin(&a->out, "pin", &fields);
        token_info_put_text(&a->out, "token", t->setup->name);
        token_info_put_text(&a->out, "last_change", t->pin_change);
        token_info_end(&a->out, m, fields);
    }
}

static void asked(void *arg)
{
    struct asking_info *a = arg;
    struct hsm_vault *v = a->v;
    struct view body;
    struct err *e = a->e;
    if (!e && !v->closing) {
        put_lanes(a);
        put_pin_changes(a);
        der_finish(&a->out, a->groups);
        e = der_out_done(&a->out, &body);
    }
    if (e)
        vault_peer_refuse(a->peer, a->id, e);
    else if (!v->closing)
        vault_peer_answer(a->peer, a->id, body);
    v->informing = false;
    vault_peer_release(a->peer);
    arena_free(a->arena);
    free(a);
    vault_release(v);
}

struct err *vault_info(struct vault_call *call)
{
    struct hsm_vault *v = call->v;
    struct err *e = vault_token_check(v);
    if (e)
        return e;
    if (v->informing)
        return err_new(ERR_BUSY, "the token is being asked already");
    struct asking_info *a = calloc(1, sizeof *a);
    CHECK(a != NULL);
    *a = (struct asking_info){.v = v, .id = call->id, .arena = arena_new(2 * INFO_BYTES)};
    a->peer = vault_peer_hold(call->peer);
    der_out_init(&a->out, a->arena, INFO_BYTES);
    a->groups = der_begin(&a->out, DER_SEQUENCE);
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].state == VAULT_READY)
            a->tokens[a->n_tokens++] = v->tokens[i].token;
    vault_hold(v);
    e = worker_submit(v->asker, ask_run, v->loop, asked, a);
    v->informing = e == NULL;
    if (!e)
        return NULL;
    vault_peer_release(a->peer);
    arena_free(a->arena);
    free(a);
    vault_release(v);
    return e;
}
