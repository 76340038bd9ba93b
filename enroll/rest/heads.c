/*
 * GET /v1/log/head: a signed head over all that is in the ledger now. GET /v1/log/proof?entry=N: that an
 * entry is under a signed head, as JSON or as C2SP's tlog-proof.
 */
#include <stdlib.h>

#include "../house.h"
#include "base/hex.h"
#include "rest.h"
#include "tlog.h"

struct job {
    struct enroll *enroll;
    ticket_id ticket;
    uint64_t entry; /* proof: of which; 0: none */
};

static json_t *hashes_json(const struct merkle_proof *proof, struct arena *arena)
{
    json_t *list = json_array();
    for (size_t i = 0; i < proof->n; i++)
        json_array_append_new(list, json_string(hex_of(arena, view_of(proof->at[i].b, SHA256_BYTES))));
    return list;
}

struct err *heads_json(struct arena *arena, const struct tlog_head *head, json_t **ret)
{
    const char *vkey = NULL;
    struct err *e = head->spki.n ? hsm_head_vkey(arena, head->origin, head->spki, &vkey) : NULL;
    if (!e)
        *ret = json_pack("{s:s, s:I, s:s, s:I, s:I, s:s*, s:s*, s:s}", "origin", head->origin, "size",
                         (json_int_t)head->head.size, "root",
                         hex_of(arena, view_of(head->head.root, SHA256_BYTES)), "entry",
                         (json_int_t)head->seq, "seal", (json_int_t)head->n, "key", vkey, "spki",
                         head->spki.n ? base64_of(arena, head->spki) : NULL, "checkpoint", head->note);
    return e;
}

struct err *heads_proof_json(struct enroll *en, struct arena *arena, uint64_t seq,
                             const struct tlog_head *head, json_t **ret, const char **ret_text)
{
    struct err *e = NULL;
    struct merkle_proof proof;
    uint8_t leaf[SHA256_BYTES];
    json_t *tree = NULL;
    TRY(ledger_inclusion(en->setup.ledger, seq, head->head.size, &proof, leaf));
    *ret_text = tlog_proof_text(arena, seq, &proof, head->note);
    TRY(heads_json(arena, head, &tree));
    *ret = json_pack("{s:I, s:s, s:o, s:o}", "entry", (json_int_t)seq, "leaf",
                     hex_of(arena, view_of(leaf, SHA256_BYTES)), "hashes", hashes_json(&proof, arena), "head",
                     tree);
out:
    return e;
}

static struct err *say(struct http_request *r, const struct job *job, const struct tlog_head *head)
{
    static const char *const types[] = {"application/json", "text/plain"};
    struct err *e = NULL;
    json_t *tree = NULL;
    const char *text = head->note;
    if (job->entry)
        TRY(heads_proof_json(job->enroll, r->arena, job->entry, head, &tree, &text));
    else
        TRY(heads_json(r->arena, head, &tree));
    http_add_text(r, "Cache-Control", "no-store");
    if (http_prefer(r, types, 2) == 1) {
        json_decref(tree);
        http_reply(r, 200, "text/plain; charset=utf-8", view_str(text));
        return NULL;
    }
    answer_json(r, 200, tree);
out:
    return e;
}

static void on_head(void *arg, struct err *e, const struct tlog_head *head)
{
    struct job *job = arg;
    struct http_request *r = http_resume(job->enroll->http, job->ticket);
    if (r && !e)
        e = say(r, job, head);
    if (r && e)
        asker_problem(r, e);
    else
        err_free(e);
}

static struct err *ask(struct http_request *r, uint64_t entry)
{
    struct enroll *en = r->app;
    if (!en->setup.tlog)
        return err_new(ERR_STARTING, "no heads are signed here");
    struct job *job = ARENA_NEW(r->arena, struct job);
    *job = (struct job){.enroll = en, .entry = entry, .ticket = http_park(r)};
    tlog_ask(en->setup.tlog, entry, on_head, job);
    return NULL;
}

void heads_head(struct http_request *r)
{
    static const char *const known[] = {NULL};
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(ask(r, 0));
out:
    if (e)
        asker_refuse(r, asker, e);
}

static struct err *entry_of(struct http_request *r, uint64_t *ret)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    struct ledger_head head;
    const char *text;
    char *end = NULL;
    TRY(answer_query(r, "entry", &text));
    TRY(ledger_head(en->setup.ledger, &head));
    *ret = text && *text >= '1' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (*ret == 0 || *end || *ret > head.entries)
        e = err_at(err_new(ERR_BAD_FIELD, "entry is the number of an entry, 1 to %llu",
                           (unsigned long long)head.entries),
                   "/entry");
out:
    return e;
}

void heads_proof(struct http_request *r)
{
    static const char *const known[] = {"entry", NULL};
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    uint64_t entry;
    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(entry_of(r, &entry));
    TRY(ask(r, entry));
out:
    if (e)
        asker_refuse(r, asker, e);
}
