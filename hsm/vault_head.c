/*
 * LOG_KEY, LAST_HEAD and SEAL_HEAD: the log's own key and the heads it signs. The text is put together here,
 * so that the key signs nothing but heads of this log; each must go on from the last, by a proof over hashes
 * alone, so that whoever owns the ledger can neither fork it nor take it back unseen. Rolled like every seal.
 * The vault's loop, but for make_run.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/der.h"
#include "base/hex.h"
#include "base/log.h"
#include "head_book.h"
#include "keygen.h"
#include "vault.h"

/* --- what was signed last --- */

/* In the roll: serial the root, extra the size, template the origin. */
void head_book_note(struct head_book *b, const struct hsm_roll_entry *entry)
{
    if (entry->serial.n != SHA256_BYTES || entry->template.n > HSM_ORIGIN_MAX) {
        log_error("head.unreadable", log_num("n", (long long)entry->n));
        return;
    }
    b->last.size = entry->extra;
    memcpy(b->last.root, entry->serial.p, SHA256_BYTES);
    memcpy(b->origin, entry->template.p, entry->template.n);
    b->origin[entry->template.n] = '\0';
}

void head_book_let_go(struct head_book *b)
{
    b->last = (struct hsm_head){.size = 0};
}

static const char *origin_of(const struct hsm_vault *v)
{
    return v->heads.origin[0] ? v->heads.origin : v->house->log_origin;
}

/* --- LOG_KEY --- */

static struct err *find_key(struct hsm_vault *v, const struct token_key **ret)
{
    struct err *e = vault_key_find(v, HEAD_KEY_LABEL, ret);
    for (size_t i = 0; !e && i < v->house->n_issuers; i++)
        if (memcmp(v->house->issuers[i].spki_sha256, (*ret)->spki_sha256, SHA256_BYTES) == 0)
            e = err_new(ERR_CONFIG, "the log's key is an issuer's: a key has one use");
    return e;
}

struct making {
    struct hsm_vault *v;
    struct vault_peer *peer;
    uint64_t id;
    const struct token_key *key;
    struct err *e;
};

static struct err *make(struct making *m)
{
    struct err *e = NULL;
    static const struct keygen_spec best[] = {
        {.label = HEAD_KEY_LABEL, .kind = CERT_KEY_ED25519},
        {.label = HEAD_KEY_LABEL, .kind = CERT_KEY_P256},
        {.label = HEAD_KEY_LABEL, .kind = CERT_KEY_RSA, .bits = 3072},
    };
    struct keygen_spec spec = best[2]; /* what every token has */
    bool offers = false;
    for (size_t i = 0; i < 2 && !offers; i++) {
        TRY(keygen_offers(vault_token_first(m->v), best[i].kind, &offers));
        if (offers)
            spec = best[i];
    }
    TRY(keygen_pair(vault_token_first(m->v), &spec, &m->key));
out:
    return e;
}

static void make_run(void *arg)
{
    struct making *m = arg;
    m->e = make(m);
}

static void make_done(void *arg)
{
    struct making *m = arg;
    struct hsm_vault *v = m->v;
    struct err *e = m->e;
    v->log_key_making = false;
    if (!e && v->closing)
        e = err_new(ERR_CANCELLED, "the vault is closing");
    if (!e)
        e = vault_peer_answer_octets(m->peer, m->id, m->key->spki);
    if (!e)
        log_info("log.key", log_text("kind", cert_key_kind_name(m->key->kind)));
    if (e) {
        vault_token_trouble(v, vault_token_first(v), e);
        vault_peer_refuse(m->peer, m->id, e);
    }
    vault_peer_release(m->peer);
    free(m);
    vault_release(v);
}

static struct err *make_key(struct vault_call *call)
{
    struct hsm_vault *v = call->v;
    if (v->log_key_making)
        return err_new(ERR_BUSY, "the log's key is being generated");
    struct making *m = calloc(1, sizeof *m);
    CHECK(m != NULL);
    *m = (struct making){.v = v, .peer = vault_peer_hold(call->peer), .id = call->id};
    vault_hold(v);
    struct err *e = worker_submit(v->asker, make_run, v->loop, make_done, m);
    v->log_key_making = e == NULL;
    if (!e)
        return NULL;
    vault_peer_release(m->peer);
    free(m);
    vault_release(v);
    return e;
}

struct err *vault_log_key(struct vault_call *call)
{
    struct err *e = NULL;
    const struct token_key *key = NULL;
    TRY(vault_token_check(call->v));
    e = find_key(call->v, &key);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return make_key(call);
    }
    TRY(e);
    TRY(vault_peer_answer_octets(call->peer, call->id, key->spki));
out:
    return e;
}

/* --- LAST_HEAD --- */

struct err *vault_head_last(struct vault_call *call)
{
    struct err *e = NULL;
    const struct hsm_vault *v = call->v;
    struct der_out out;
    struct view body;
    der_out_init(&out, call->arena, 1024);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, v->heads.last.size);
    der_put_octets(&out, view_of(v->heads.last.root, SHA256_BYTES));
    der_put_text(&out, origin_of(v));
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    vault_peer_answer(call->peer, call->id, body);
out:
    return e;
}

/* --- SEAL_HEAD --- */

static struct err *read_hash(struct view *in, uint8_t ret[SHA256_BYTES])
{
    struct err *e = NULL;
    struct view hash;
    TRY(der_read(in, DER_OCTET_STRING, &hash));
    if (hash.n != SHA256_BYTES)
        return err_new(ERR_BAD_DER, "%zu octets in place of a hash", hash.n);
    memcpy(ret, hash.p, SHA256_BYTES);
out:
    return e;
}

static struct err *read_asked(struct view in, struct hsm_head *ret, struct merkle_proof *ret_proof)
{
    struct err *e = NULL;
    struct view body, list;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, INT64_MAX, &ret->size));
    TRY(read_hash(&body, ret->root));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    for (ret_proof->n = 0; list.n > 0; ret_proof->n++) {
        if (ret_proof->n == MERKLE_PROOF_MAX)
            TRY(err_new(ERR_BAD_DER, "a proof of more than %d hashes", MERKLE_PROOF_MAX));
        TRY(read_hash(&list, ret_proof->at[ret_proof->n].b));
    }
    if (ret->size == 0)
        e = err_new(ERR_BAD_DER, "a head over nothing");
out:
    return vault_peer_malformed(e);
}

struct err *vault_head_seal(struct vault_call *call)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct hsm_head head;
    struct merkle_proof proof;
    const struct token_key *key;
    uint8_t hash[SHA256_BYTES];
    TRY(read_asked(call->body, &head, &proof));
    TRY(vault_seal_room(v, SIGNER_CRL));
    TRY(find_key(v, &key));
    TRY(judge_head(&v->heads, &head, &proof));
    const char *origin = origin_of(v), *text = hsm_head_text(call->arena, origin, &head);
    digest_sha256(view_str(text), hash);
    const struct hsm_roll_entry entry = {
        .key = view_str(arena_printf(call->arena, "log/%.16s",
                                     hex_of(call->arena, view_of(key->spki_sha256, SHA256_BYTES)))),
        .kind = HSM_ROLL_HEAD,
        .serial = view_of(head.root, SHA256_BYTES),
        .template = view_str(origin),
        .tbs_sha256 = view_of(hash, SHA256_BYTES),
        .extra = head.size};
    TRY(vault_seal_start(v, call->peer, call->id,
                         &(struct vault_seal_want){.house = v->house,
                                                   .entry = entry,
                                                   .token_key = key,
                                                   .alg = cert_alg_default(key->kind),
                                                   .tbs = view_str(text),
                                                   .lane = SIGNER_CRL}));
    head_book_note(&v->heads, &entry);
out:
    return e;
}
