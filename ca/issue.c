/*
 * The engine: walks an issuance through the table of steps, parks it where a step waits, and ends it exactly
 * once. An issuance that fails after its intent is on record closes the intent: at once where nothing can
 * have been signed, by the roll where that is not known. On the loop's thread.
 */
#include "base/log.h"
#include "base/metric.h"
#include "base/world.h"
#include "ca_pending.h"
#include "house.h"

static const struct {
    const char *name;
    issue_step *run;
} steps[] = {
    {"admit", steps_admit},   {"again", steps_again}, {"shape", steps_shape},   {"approve", steps_approve},
    {"intend", steps_intend}, {"seal", steps_seal},   {"record", steps_record}, {"hand", steps_hand},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static void link_in(struct issuance *is)
{
    struct ca *ca = is->ca;
    is->next = ca->under_way;
    if (is->next)
        is->next->prev = is;
    ca->under_way = is;
    ca->under_way_n++;
}

static void unlink_it(struct issuance *is)
{
    struct ca *ca = is->ca;
    if (is->next)
        is->next->prev = is->prev;
    if (is->prev)
        is->prev->next = is->next;
    if (ca->under_way == is)
        ca->under_way = is->next;
    ca->under_way_n--;
}

static void log_end(const struct issuance *is, const struct err *e)
{
    if (e && err_code(e) == ERR_PENDING) {
        log_info("cert.pending", log_text("asker", is->asker.id), log_text("template", is->request.template),
                 log_text("request", is->result.pending->id));
        return;
    }
    if (e) {
        log_info("cert.refused", log_text("asker", is->asker.id), log_text("template", is->request.template),
                 log_text("step", is->step < STEPS ? steps[is->step].name : "hand"), log_err(e));
        return;
    }
    if (is->result.replayed) {
        log_info("cert.replayed", log_text("serial", is->result.serial), log_text("asker", is->asker.id));
        return;
    }
    metric_add(METRIC_CERTS_ISSUED, 1);
    metric_observe_us(METRIC_ISSUE_TIME, (uint64_t)(world_mono_ms() - is->started_ms) * 1000);
    log_info("cert.issued", log_text("serial", is->result.serial), log_text("issuer", is->result.issuer),
             log_text("template", is->result.template), log_text("asker", is->asker.id),
             log_num("n", (long long)is->n));
}

/* Ends it: tells the asker, frees. Takes e. */
static void issue_end(struct issuance *is, struct err *e)
{
    struct arena *arena = is->arena;
    bool pending = e && err_code(e) == ERR_PENDING;
    check_working_on(is->asker.request_id, "end");
    if (e && !pending && is->asker.role != CA_ROLE_SELF)
        ca_deny(is->ca, &is->asker, is->request.template, e);
    log_end(is, e);
    unlink_it(is);
    is->done(is->arg, e, e && !pending ? NULL : &is->result);
    check_working_on(NULL, NULL);
    arena_free(arena);
}

void issue_close(struct issuance *is)
{
    unlink_it(is);
    arena_free(is->arena);
}

static void walk(struct issuance *is)
{
    while (is->step < STEPS) {
        bool waits = false;
        check_working_on(is->asker.request_id, steps[is->step].name);
        struct err *e = steps[is->step].run(is, &waits);
        check_working_on(NULL, NULL);
        if (e) {
            issue_end(is, e);
            return;
        }
        if (waits)
            return;
        is->step++;
    }
    issue_end(is, NULL);
}

void issue_resume(struct issuance *is, struct err *e)
{
    if (e) {
        issue_end(is, e);
        return;
    }
    is->step++;
    walk(is);
}

void issue_skip_to_hand(struct issuance *is)
{
    is->step = STEPS;
    walk(is);
}

static void begin(void *arg)
{
    walk(arg);
}

/* --- copying: the request outlives its caller --- */

static const char *copy_text(struct arena *a, const char *text)
{
    return text ? arena_str(a, view_str(text)) : NULL;
}

static const char *const *copy_texts(struct arena *a, const char *const *texts, size_t n)
{
    const char **copy = arena_array(a, n, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = copy_text(a, texts[i]);
    return copy;
}

static const uint8_t *copy_hash(struct arena *a, const uint8_t *hash)
{
    return hash ? arena_dup(a, view_of(hash, SHA256_BYTES)).p : NULL;
}

static void copy_asker(struct issuance *is, const struct ca_asker *from)
{
    struct arena *a = is->arena;
    struct ca_asker *to = &is->asker;
    *to = *from;
    to->id = copy_text(a, from->id);
    to->door = copy_text(a, from->door);
    to->peer = copy_text(a, from->peer);
    to->request_id = copy_text(a, from->request_id);
    to->grant.templates = copy_texts(a, from->grant.templates, from->grant.templates_n);
    to->grant.names = copy_texts(a, from->grant.names, from->grant.names_n);
    to->token = copy_hash(a, from->token);
    to->key = copy_hash(a, from->key);
}

static void copy_subject(struct issuance *is, const struct ca_request *from)
{
    struct templates_rdn *copy = arena_array(is->arena, from->subject_n, sizeof *copy);
    for (size_t i = 0; i < from->subject_n; i++) {
        copy[i] = from->subject[i];
        copy[i].attribute = copy_text(is->arena, from->subject[i].attribute);
        copy[i].value = copy_text(is->arena, from->subject[i].value);
    }
    is->request.subject = copy;
}

static void copy_exts(struct issuance *is, const struct ca_request *from)
{
    struct cert_ext *copy = arena_array(is->arena, from->exts_n, sizeof *copy);
    for (size_t i = 0; i < from->exts_n; i++) {
        const struct cert_ext *ext = &from->exts[i];
        copy[i] = (struct cert_ext){arena_dup(is->arena, ext->oid), ext->critical,
                                    arena_dup(is->arena, ext->value)};
    }
    is->request.exts = copy;
}

static void copy_request(struct issuance *is, const struct ca_request *from)
{
    struct arena *a = is->arena;
    struct ca_request *to = &is->request;
    *to = *from;
    copy_asker(is, from->asker);
    to->asker = &is->asker;
    to->template = copy_text(a, from->template);
    to->issuer = copy_text(a, from->issuer);
    to->csr = arena_dup(a, from->csr);
    to->replaces = arena_dup(a, from->replaces);
    to->tags = (struct ledger_texts){from->tags.n, copy_texts(a, from->tags.items, from->tags.n)};
    to->idempotency_key = copy_text(a, from->idempotency_key);
    to->token_spki = arena_dup(a, from->token_spki);
    to->sans = copy_texts(a, from->sans, from->sans_n);
    copy_subject(is, from);
    copy_exts(is, from);
}

struct issuance *issue_open(struct ca *ca, const struct ca_request *request)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct issuance *is = ARENA_NEW(arena, struct issuance);
    *is = (struct issuance){.ca = ca, .arena = arena, .started_ms = world_mono_ms()};
    copy_request(is, request);
    link_in(is);
    return is;
}

void ca_issue(struct ca *ca, const struct ca_request *request, ca_issued *done, void *arg)
{
    struct issuance *is = issue_open(ca, request);
    is->done = done;
    is->arg = arg;
    loop_after_turn(ca->loop, begin, is);
}
