/*
 * finalize (RFC 8555 7.4): the CSR is held against the order, then goes the same way as every request for a
 * certificate. The order's id is the Idempotency-Key of the issuance, so that a client that asks again after
 * a crash gets what was made before it. A token that is slow does not keep the client: it is told
 * `processing`, and the order ends by itself.
 */
#include "acme.h"

#include "base/hex.h"
#include "base/log.h"
#include "ca_pending.h"
#include "cert/csr.h"

enum { PATIENCE_MS = 5000 };

struct finalize {
    struct acme_work work; /* first */
    struct acme_ask *ask;  /* while somebody waits for the answer */
    bool waits;
    ticket_id ticket;
    struct loop_timer *patience;
    struct ledger_entry next;
    struct ca_asker asker;
    struct ca_request request; /* in the arena of the work */
};

/* --- the CSR --- */

static struct err *as_csr(struct err *e)
{
    static const enum err_code codes[] = {
        ERR_BAD_KEY, ERR_BAD_SIGNATURE,  ERR_BAD_NAME,  ERR_BAD_EXTENSION, ERR_POLICY,
        ERR_BAD_DER, ERR_NAME_FORBIDDEN, ERR_TOO_LARGE, ERR_TOO_MANY,      ERR_BAD_FIELD};
    for (size_t i = 0; e && i < sizeof codes / sizeof *codes; i++)
        if (err_code(e) == codes[i])
            return acme_as(e, ERR_BAD_CSR);
    return e;
}

static bool is_listed(const struct ledger_texts *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

/* A common name that reads as a host or an address is one of the names; what else stands there is for the
 * template to judge. */
static const char *common_name(const struct cert_csr *csr, struct arena *arena)
{
    struct cert_san san;
    const char *cn = cert_name_value(&csr->subject, "CN", arena), *name = NULL;
    for (int i = 0; cn && !name && i < 2; i++) {
        struct err *e =
            cert_san_of_text(view_str(arena_printf(arena, "%s:%s", i ? "dns" : "ip", cn)), arena, &san);
        if (!e)
            name = cert_san_text(&san, arena);
        err_free(e);
    }
    return name;
}

static struct err *csr_names(const struct cert_csr *csr, struct arena *arena, struct ledger_texts *ret)
{
    const char **names = arena_array(arena, csr->san_count + 1, sizeof *names);
    *ret = (struct ledger_texts){0, names};
    for (size_t i = 0; i < csr->san_count; i++) {
        const struct cert_san *san = &csr->sans[i];
        if (san->kind != CERT_SAN_DNS && san->kind != CERT_SAN_IP)
            return err_new(ERR_BAD_CSR, "the CSR asks for a name of kind %s; an order has dns and ip alone",
                           cert_san_kind_name(san->kind));
        const char *name = cert_san_text(san, arena);
        if (!is_listed(ret, name))
            names[ret->n++] = name;
    }
    const char *cn = common_name(csr, arena);
    if (cn && !is_listed(ret, cn))
        names[ret->n++] = cn;
    return NULL;
}

/* RFC 8555 7.4: exactly the names of the order. */
static struct err *check_names(const struct cert_csr *csr, const struct ledger_texts *ordered,
                               struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_texts asked;
    TRY(csr_names(csr, arena, &asked));
    for (size_t i = 0; i < asked.n; i++)
        if (!is_listed(ordered, asked.items[i]))
            TRY(err_new(ERR_BAD_CSR, "the CSR asks for %s, which is not in the order (RFC 8555 7.4)",
                        asked.items[i]));
    for (size_t i = 0; i < ordered->n; i++)
        if (!is_listed(&asked, ordered->items[i]))
            TRY(err_new(ERR_BAD_CSR, "the CSR lacks %s, which is in the order (RFC 8555 7.4)",
                        ordered->items[i]));
out:
    return e;
}

static struct err *read_csr(struct acme_ask *ask, const struct ledger_acme_order *o, struct view *ret)
{
    struct err *e = NULL;
    struct cert_csr csr;
    const char *text = json_string_value(json_object_get(ask->body, "csr"));
    if (!text)
        TRY(err_new(ERR_BAD_FIELD, "csr is needed: the CSR as base64url of its DER (RFC 8555 7.4)"));
    TRY(err_wrap(as_csr(base64url_parse(ask->r->arena, view_str(text), ret)), "csr"));
    TRY(as_csr(cert_csr_parse(*ret, ask->r->arena, &csr)));
    if (view_eq(csr.key.spki, ask->key.spki))
        TRY(err_new(ERR_BAD_CSR, "the key in the CSR is the account's; make one of its own (RFC 8555 11.1)"));
    TRY(check_names(&csr, &o->names, ask->r->arena));
out:
    return e;
}

/* --- the end --- */

static void end(struct finalize *f)
{
    loop_timer_free(f->patience);
    acme_work_end(&f->work);
}

static void recorded(void *arg, struct err *e, const struct ledger_result *r)
{
    struct finalize *f = arg;
    struct acme_ask *ask = f->ask;
    struct enroll *en = f->work.en;
    bool waits = f->waits && http_resume(en->http, f->ticket);
    struct ledger_acme_order o = f->next.body.acme_order;
    (void)r;
    if (e && !waits)
        log_warn("acme.order", log_err(e));
    if (waits && !e)
        e = order_answer(ask, 200, &o);
    if (waits && e) {
        acme_problem(ask, e);
        e = NULL;
    }
    err_free(e);
    end(f);
}

static void put(struct finalize *f)
{
    struct err *e = ledger_append(f->work.en->setup.ledger, &f->next, recorded, f, NULL);
    if (e)
        recorded(f, e, NULL);
}

/* Nobody waits for the answer any more: the order itself says why there is no certificate. What is the
 * house's own trouble ends no order: the client asks again. */
static void put_failed(struct finalize *f, struct err *e)
{
    if (err_row(err_code(e))->http_status >= 429) {
        log_info("acme.order", log_err(e));
        err_free(e);
        end(f);
        return;
    }
    struct ledger_acme_order *o = &f->next.body.acme_order;
    o->status = ACME_INVALID;
    o->error = acme_problem_type(err_code(e));
    o->detail = arena_str(f->work.arena, view_str(err_detail(e)));
    err_free(e);
    put(f);
}

static void failed(struct finalize *f, struct err *e)
{
    struct acme_ask *ask = f->ask;
    struct http_server *http = f->work.en->http;
    if (!f->waits) {
        put_failed(f, e);
        return;
    }
    ticket_id ticket = f->ticket;
    end(f);
    if (http_resume(http, ticket))
        acme_problem(ask, e);
    else
        err_free(e);
}

/* Until people have approved it; who polls has it asked for again. */
static void put_waiting(struct finalize *f, const struct ca_pending *pending)
{
    struct ledger_acme_order *o = &f->next.body.acme_order;
    if (f->work.object.body.acme_order.status == ACME_PROCESSING) {
        end(f);
        return;
    }
    o->status = ACME_PROCESSING;
    o->waits = arena_str(f->work.arena, view_str(pending->id));
    put(f);
}

static void issued(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct finalize *f = arg;
    struct ledger_acme_order *o = &f->next.body.acme_order;
    struct view serial;
    if (e && err_code(e) == ERR_PENDING && cert && cert->pending) {
        err_free(e);
        put_waiting(f, cert->pending);
        return;
    }
    if (!e)
        e = hex_parse(f->work.arena, view_str(cert->serial), &serial);
    if (e) {
        failed(f, as_csr(e));
        return;
    }
    acme_made(f->work.en->acme);
    o->status = ACME_VALID;
    o->issuer = arena_str(f->work.arena, view_str(cert->issuer));
    o->serial = serial;
    put(f);
}

static void impatient(void *arg)
{
    struct finalize *f = arg;
    struct acme_ask *ask = f->ask;
    struct ledger_acme_order *o = &f->work.object.body.acme_order;
    f->waits = false;
    f->ask = NULL;
    if (!http_resume(f->work.en->http, f->ticket))
        return;
    struct err *e = order_answer(ask, 200, o);
    if (e)
        acme_problem(ask, e);
}

/* --- the beginning --- */

static void asker_of_account(struct finalize *f)
{
    struct ledger_acme_order *o = &f->next.body.acme_order;
    const char **templates = ARENA_NEW(f->work.arena, const char *);
    templates[0] = o->template;
    f->asker = (struct ca_asker){
        .role = CA_ROLE_REQUESTER,
        .account = true,
        .id = f->next.actor,
        .door = "acme",
        .peer = f->next.peer,
        .request_id = f->next.request,
        .grant = {.templates = templates, .templates_n = 1, .names = o->names.items, .names_n = o->names.n}};
}

static struct err *replaced_serial(struct finalize *f, struct view *ret)
{
    struct err *e = NULL;
    struct ledger_cert old;
    const char *replaces = f->next.body.acme_order.replaces;
    if (!replaces[0])
        return NULL;
    TRY(renewal_find(f->work.en, view_str(replaces), f->work.arena, &old));
    *ret = old.serial;
out:
    return e;
}

static const char *keep(struct finalize *f, const char *text)
{
    return arena_str(f->work.arena, view_str(text));
}

static struct err *request_of(struct acme_ask *ask, struct finalize *f, struct view csr)
{
    struct ledger_acme_order *o = &f->next.body.acme_order;
    acme_by(ask, &f->next);
    f->next.actor = keep(f, f->next.actor);
    f->next.peer = keep(f, f->next.peer);
    f->next.request = keep(f, f->next.request);
    asker_of_account(f);
    f->request = (struct ca_request){.asker = &f->asker,
                                     .template = o->template,
                                     .csr = arena_dup(f->work.arena, csr),
                                     .not_after = o->not_after,
                                     .idempotency_key = hex_of(f->work.arena, o->object.id)};
    digest_sha256(csr, f->request.body_hash);
    o->csr = view_of(f->request.body_hash, SHA256_BYTES);
    return replaced_serial(f, &f->request.replaces);
}

static void allowed(struct acme_work *w, struct err *e)
{
    struct finalize *f = (struct finalize *)w;
    if (e)
        failed(f, e);
    else
        ca_issue(w->en->setup.ca, &f->request, issued, f);
}

static bool wants_caa(const struct finalize *f)
{
    const struct templates *set = ca_setup_get(f->work.en->setup.ca)->templates;
    const struct template *t = templates_find(set, view_str(f->request.template));
    return t && templates_caa(t);
}

static struct err *begin(struct acme_ask *ask, const struct ledger_entry *order, struct view csr)
{
    struct err *e = NULL;
    struct acme_work *w = NULL;
    TRY(acme_work_new(ask->en, LEDGER_ACME_ORDER, order->body.object.id, sizeof(struct finalize), &w));
    struct finalize *f = (struct finalize *)w;
    f->next = acme_next(&w->object);
    TRY(request_of(ask, f, csr));
    f->ask = ask;
    f->waits = true;
    f->patience = loop_timer_new(ask->en->setup.loop, impatient, f);
    loop_timer_set(f->patience, PATIENCE_MS);
    f->ticket = http_park(ask->r);
    if (wants_caa(f))
        caa_check(w, &f->next.body.acme_order, allowed);
    else
        allowed(w, NULL);
    return NULL;
out:
    if (w)
        acme_work_end(w);
    return e;
}

void finalize_again(struct acme_ask *ask, const struct ledger_entry *order)
{
    struct err *e = NULL;
    struct acme_work *w = NULL;
    struct view id;
    const struct ledger_acme_order *o = &order->body.acme_order;
    if (o->status != ACME_PROCESSING || !o->waits || acme_work_of(ask->en->acme, o->object.id))
        return;
    TRY(acme_work_new(ask->en, LEDGER_ACME_ORDER, o->object.id, sizeof(struct finalize), &w));
    struct finalize *f = (struct finalize *)w;
    f->next = acme_next(&w->object);
    f->next.actor = w->object.actor;
    f->next.door = w->object.door;
    f->next.peer = w->object.peer;
    f->next.request = w->object.request;
    asker_of_account(f);
    TRY(hex_parse(w->arena, view_str(o->waits), &id));
    TRY(ca_pending_request(ask->en->setup.ca, &f->asker, id, w->arena, &f->request));
    ca_issue(ask->en->setup.ca, &f->request, issued, f);
out:
    if (e && w)
        acme_work_end(w);
    if (e)
        log_info("acme.order", log_err(e));
    err_free(e);
}

/* A client that did not hear the answer asks again. */
static bool is_repeated(const struct ledger_acme_order *o, struct view csr)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(csr, hash);
    return view_eq(o->csr, view_of(hash, sizeof hash));
}

struct err *order_finalize(struct acme_ask *ask)
{
    struct err *e = NULL;
    struct ledger_entry order;
    const struct ledger_acme_order *o = &order.body.acme_order;
    enum acme_status status;
    const struct ledger_acme_eab *eab;
    struct view csr;
    TRY(acme_own(ask, LEDGER_ACME_ORDER, &order));
    TRY(order_status(ask, o, &status));
    if (status != ACME_READY && status != ACME_VALID)
        TRY(err_new(ERR_ORDER_NOT_READY, "the order is %s, not ready (RFC 8555 7.4)",
                    acme_status_text(status)));
    TRY(read_csr(ask, o, &csr));
    if (status == ACME_VALID && is_repeated(o, csr))
        return order_answer(ask, 200, o);
    if (status == ACME_VALID)
        TRY(err_new(ERR_ORDER_NOT_READY, "the order is valid: it has its certificate (RFC 8555 7.4)"));
    TRY(eab_admits(ask, o->template, &eab)); /* its key may have been revoked since */
    TRY(begin(ask, &order, csr));
out:
    return e;
}
