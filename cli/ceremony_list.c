/*
 * Steps `revoke` and `crl`: what an offline issuer says of the certificates it made. The list comes straight
 * from the ledger's index, is judged and sealed by the vault, and is on record before it is written out.
 */
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/world.h"
#include "ceremony.h"
#include "cert/crl.h"
#include "cert/tbs.h"

struct err *ceremony_list_revoke(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct view der;
    struct cert_tbs tbs;
    enum cert_reason reason;
    struct ledger_result result;
    struct ledger_entry entry = init_entry(&c->in, LEDGER_REVOKE);
    TRY(cert_crl_reason_parse(view_str(s->reason), &reason));
    TRY(ceremony_io_read_pem(c, s->file, s->sha256, "CERTIFICATE", &der));
    TRY(cert_tbs_open(der, c->in.cli->arena, NULL, &tbs));
    entry.issuer = s->issuer;
    entry.serial = tbs.serial;
    entry.body.revoke.reason = reason;
    TRY(ledger_append_wait(c->in.ledger, &entry, &result));
    ceremony_record_text(c, "serial", hex_of(c->in.cli->arena, tbs.serial));
    ceremony_record_text(c, "reason", s->reason);
out:
    return e;
}

/* --- the list --- */

struct list {
    struct cert_crl crl;
    struct cert_crl_entry *entries;
    size_t n;
    uint64_t upto;
    struct der_out out;
};

enum { ENTRIES_MAX = 100000, LIST_BYTES = 16 << 20 };

static struct err *gather(struct ceremony *c, const char *issuer, struct list *l)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    struct ledger_revoked *walk = NULL;
    struct ledger_revocation r;
    bool more = true;
    l->entries = arena_array(a, ENTRIES_MAX, sizeof *l->entries);
    TRY(ledger_revoked_open(c->in.ledger, issuer, LEDGER_WHOLE, &walk));
    l->upto = ledger_revoked_upto(walk);
    for (;;) {
        TRY(ledger_revoked_next(walk, &r, &more));
        if (!more)
            break;
        if (l->n == ENTRIES_MAX)
            TRY(err_new(ERR_TOO_MANY, "more than %d revocations", ENTRIES_MAX));
        l->entries[l->n++] = (struct cert_crl_entry){.serial = arena_dup(a, r.serial),
                                                     .revoked_at = r.at,
                                                     .reason = (enum cert_reason)r.reason,
                                                     .has_invalidity = r.invalidity != 0,
                                                     .invalid_from = r.invalidity};
    }
out:
    ledger_revoked_close(walk);
    return e;
}

static struct err *sink(void *arg, struct view bytes)
{
    der_put_raw(arg, bytes);
    return NULL;
}

static struct err *write_list(struct ceremony *c, struct list *l, struct view *ret_tbs)
{
    struct err *e = NULL;
    struct cert_crl_writer *w = ARENA_NEW(c->in.cli->arena, struct cert_crl_writer);
    size_t bytes = 0;
    for (size_t i = 0; i < l->n; i++)
        bytes += cert_crl_entry_bytes(&l->entries[i]);
    der_out_init(&l->out, c->in.cli->arena, LIST_BYTES);
    TRY(cert_crl_begin(w, &l->crl, bytes, c->in.cli->arena, sink, &l->out, NULL));
    for (size_t i = 0; i < l->n; i++)
        TRY(cert_crl_add(w, &l->entries[i]));
    TRY(cert_crl_end(w));
    TRY(der_out_done(&l->out, ret_tbs));
out:
    return e;
}

static struct err *seal(struct ceremony *c, const char *issuer, const struct list *l, struct view tbs,
                        uint64_t *ret_n, struct view *ret_der)
{
    struct err *e = NULL;
    struct view signature;
    int fd = -1;
    TRY(file_sealed("crl", tbs, &fd));
    TRY(hsm_ceremony_seal_crl(c->in.ceremony, issuer, fd, c->in.cli->arena, ret_n, &signature));
    TRY(cert_seal(tbs, l->crl.alg, signature, c->in.cli->arena, ret_der));
out:
    if (fd >= 0)
        close(fd);
    return e;
}

static struct err *record(struct ceremony *c, const char *issuer, const struct list *l, uint64_t n,
                          struct view der)
{
    uint8_t hash[SHA256_BYTES];
    struct ledger_result result;
    struct ledger_entry entry = init_entry(&c->in, LEDGER_CRL);
    digest_sha256(der, hash);
    entry.issuer = issuer;
    entry.body.crl = (struct ledger_crl){.number = l->crl.number,
                                         .this_update = l->crl.this_update,
                                         .next_update = l->crl.next_update,
                                         .upto = l->upto,
                                         .entries = l->n,
                                         .n = n,
                                         .sha256 = view_of(hash, sizeof hash)};
    return ledger_append_wait(c->in.ledger, &entry, &result);
}

struct err *ceremony_list_crl(struct ceremony *c, const struct ceremony_step *s)
{
    struct err *e = NULL;
    struct list l = {.n = 0};
    struct ledger_crl last;
    struct view tbs, der;
    uint64_t n;
    const struct ceremony_issuer *issuer = ceremony_issuer_find(c, s->issuer);
    if (!issuer)
        return err_new(ERR_ISSUER_UNKNOWN, "no issuer '%s' in this ceremony", s->issuer);
    TRY(ledger_crl_last(c->in.ledger, s->issuer, &last));
    l.crl = (struct cert_crl){.alg = issuer->facts.alg,
                              .issuer = issuer->facts.subject,
                              .aki = issuer->facts.key_id,
                              .number = last.number + 1,
                              .this_update = world_now_s(),
                              .next_update = world_now_s() + s->validity_s};
    TRY(gather(c, s->issuer, &l));
    TRY(write_list(c, &l, &tbs));
    TRY(seal(c, s->issuer, &l, tbs, &n, &der));
    TRY(record(c, s->issuer, &l, n, der));
    json_object_set_new(c->line, "number", json_integer((json_int_t)l.crl.number));
    json_object_set_new(c->line, "entries", json_integer((json_int_t)l.n));
    TRY(ceremony_io_write(c, s->out, der));
out:
    return e;
}
