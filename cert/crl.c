/*
 * TBSCertList: written as a stream (RFC 5280 5.1.2). Reading is in crl_read.c, entries in crl_entry.c.
 *
 * Never holds more than one buffer of the list; lengths are known before the first octet goes out. One thread
 * for each writer.
 */
#include "cert/crl.h"

#include "crl_entry.h"
#include "seal_head.h"

static struct err *flush(struct cert_crl_writer *w)
{
    struct err *e = w->at ? w->sink(w->arg, view_of(w->buf, w->at)) : NULL;
    w->at = 0;
    return e;
}

static struct err *put(struct cert_crl_writer *w, struct view bytes)
{
    struct err *e = NULL;
    if (bytes.n > sizeof w->buf - w->at)
        TRY(flush(w));
    if (bytes.n > sizeof w->buf)
        return w->sink(w->arg, bytes);
    if (bytes.n)
        memcpy(w->buf + w->at, bytes.p, bytes.n);
    w->at += bytes.n;
out:
    return e;
}

static struct err *put_head(struct cert_crl_writer *w, size_t body_bytes)
{
    uint8_t head[SEAL_HEAD_MAX];
    return put(w, view_of(head, seal_head(head, body_bytes)));
}

/* version to nextUpdate. */
static struct err *write_front(const struct cert_crl *crl, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, LIMIT_NAME_BYTES + 1024);
    der_put_uint(&out, 1);
    der_put_raw(&out, cert_alg_der(crl->alg));
    der_put_raw(&out, crl->issuer);
    der_put_time(&out, crl->this_update);
    der_put_time(&out, crl->next_update);
    return der_out_done(&out, ret);
}

/* A list that says it is a delta must be one (5.2.4, 5.2.6). */
static struct err *check_delta(const struct cert_crl *crl)
{
    if (crl->is_delta && crl->base >= crl->number)
        return err_new(ERR_CORRUPT, "a delta list whose base is not below it (RFC 5280 5.2.4)");
    if (crl->is_delta && crl->freshest.n)
        return err_new(ERR_CORRUPT, "freshestCRL in a delta list (RFC 5280 5.2.6)");
    return NULL;
}

static struct err *write_extensions(const struct cert_crl *crl, struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct cert_ext exts[5];
    size_t n = 0;
    TRY(check_delta(crl));
    TRY(cert_ext_write_aki(crl->aki, arena, &exts[n++]));
    TRY(cert_ext_write_crl_number(crl->number, arena, &exts[n++]));
    if (crl->is_delta)
        TRY(cert_ext_write_delta(crl->base, arena, &exts[n++]));
    if (crl->has_idp)
        TRY(cert_ext_write_idp(&crl->idp, arena, &exts[n++]));
    if (crl->freshest.n)
        TRY(cert_ext_write_freshest((struct cert_views){&crl->freshest, 1}, arena, &exts[n++]));
    der_out_init(&out, arena, LIMIT_TBS_BYTES);
    size_t m = der_begin(&out, DER_CONTEXT_CONS(0));
    cert_ext_list_put(&out, exts, n);
    der_finish(&out, m);
    TRY(der_out_done(&out, ret));
out:
    return e;
}

struct err *cert_crl_begin(struct cert_crl_writer *w, const struct cert_crl *crl, size_t entries_bytes,
                           struct arena *arena, cert_crl_sink *sink, void *arg, size_t *ret_total)
{
    struct err *e = NULL;
    struct view front, tail;
    uint8_t head[SEAL_HEAD_MAX];
    if (entries_bytes > UINT32_MAX / 2)
        return err_new(ERR_TOO_LARGE, "a list of more than 2 GiB");
    TRY(write_front(crl, arena, &front));
    TRY(write_extensions(crl, arena, &tail));
    /* 5.1.2.6: no empty revokedCertificates */
    size_t list_head = entries_bytes ? seal_head(head, entries_bytes) : 0;
    size_t body = front.n + list_head + entries_bytes + tail.n;

    w->sink = sink;
    w->arg = arg;
    w->left = entries_bytes;
    w->last_n = 0;
    w->tail = tail;
    w->at = 0;
    TRY(put_head(w, body));
    TRY(put(w, front));
    if (entries_bytes)
        TRY(put_head(w, entries_bytes));
    if (ret_total)
        *ret_total = seal_head(head, body) + body;
out:
    return e;
}

struct err *cert_crl_add(struct cert_crl_writer *w, const struct cert_crl_entry *entry)
{
    struct err *e = NULL;
    uint8_t der[CRL_ENTRY_MAX_BYTES];
    size_t n = 0;
    TRY(crl_entry_write(entry, der, &n));
    if (w->last_n && cert_crl_serial_cmp(view_of(w->last, w->last_n), entry->serial) >= 0)
        return err_new(ERR_CORRUPT, "a list whose serials do not ascend");
    if (n > w->left)
        return err_new(ERR_CORRUPT, "a list with more entries than were announced");
    TRY(put(w, view_of(der, n)));
    w->left -= n;
    w->last_n = entry->serial.n;
    memcpy(w->last, entry->serial.p, entry->serial.n);
out:
    return e;
}

struct err *cert_crl_end(struct cert_crl_writer *w)
{
    struct err *e = NULL;
    if (w->left)
        return err_new(ERR_CORRUPT, "a list with fewer entries than were announced");
    TRY(put(w, w->tail));
    TRY(flush(w));
out:
    return e;
}
