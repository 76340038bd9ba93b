/*
 * The client's acts and freezes: asked, answered, and what is frozen as last heard. Judges no approval: the
 * vault does. One loop's thread.
 */
#include "base/check.h"
#include "base/der.h"
#include "base/when.h"
#include "client.h"
#include "hsm_freeze.h"

enum { BODY_MAX = FRAME_BODY_MAX };

const char *hsm_freeze_what_text(enum hsm_freeze_what what)
{
    static const char *const texts[] = {"", "all", "issuer", "template", "asker"};
    CHECK(what >= HSM_FREEZE_ALL && what <= HSM_FREEZE_ASKER);
    return texts[what];
}

static bool acted_finish(struct client_call *c, struct err *e, struct view body)
{
    uint64_t n = 0;
    struct view result = {NULL, 0};
    client_end(c);
    if (!e)
        e = frames_read_sealed(body, &n, &result);
    if (!e)
        client_saw(c->h, n);
    client_pool_look(client_pool(c->h)); /* what it changed is known at once */
    c->done.acted(c->arg, e, n, result);
    return false;
}

static struct err *ask(struct hsm *h, enum frames_kind kind, struct der_out *out, hsm_acted_fn *done,
                       void *arg, ticket_id *ret)
{
    struct view body;
    struct err *e = der_out_done(out, &body);
    struct client_call call = {.finish = acted_finish, .done.acted = done, .arg = arg};
    if (!e)
        e = client_ask(h, &call, kind, 0, body, -1, ret);
    arena_reset(client_scratch(h));
    return e;
}

struct err *hsm_act(struct hsm *h, struct view approved, struct view payload, hsm_acted_fn *done, void *arg,
                    ticket_id *ret)
{
    struct der_out out;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, approved);
    der_put_octets(&out, payload);
    der_finish(&out, m);
    return ask(h, FRAMES_ACT, &out, done, arg, ret);
}

struct err *hsm_freeze(struct hsm *h, const struct hsm_freeze *what, const char *by, const char *reason,
                       hsm_acted_fn *done, void *arg, ticket_id *ret)
{
    struct der_out out;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, what->what);
    der_put_text(&out, what->name);
    der_put_text(&out, by);
    der_put_text(&out, reason);
    der_finish(&out, m);
    return ask(h, FRAMES_FREEZE, &out, done, arg, ret);
}

static bool is(const char *name, const char *asked)
{
    return asked && strcmp(name, asked) == 0;
}

static bool covers(const struct hsm_freeze *f, const char *issuer, const char *template, const char *asker,
                   bool spared)
{
    switch (f->what) {
    case HSM_FREEZE_TEMPLATE:
        return is(f->name, template);
    case HSM_FREEZE_ISSUER:
        return !spared && is(f->name, issuer);
    case HSM_FREEZE_ASKER:
        return is(f->name, asker);
    case HSM_FREEZE_ALL:
        return !spared;
    }
    return false;
}

static struct err *frozen_by(const struct hsm_status *s, const char *issuer, const char *template,
                             const char *asker, bool spared)
{
    for (size_t i = 0; i < s->n_freezes; i++) {
        const struct hsm_freeze *f = &s->freezes[i];
        char since[WHEN_TEXT_MAX];
        if (!covers(f, issuer, template, asker, spared))
            continue;
        when_put(since, f->since);
        if (f->what == HSM_FREEZE_ALL)
            return err_new(ERR_FROZEN, "issuance is frozen since %s", since);
        return err_new(ERR_FROZEN, "the %s %s is frozen since %s", hsm_freeze_what_text(f->what), f->name,
                       since);
    }
    return NULL;
}

struct err *hsm_frozen(struct hsm *h, const char *issuer, const char *template, const char *asker,
                       bool spared)
{
    struct err *e = NULL;
    for (; h && !e; h = hsm_next(h))
        e = frozen_by(hsm_status(h), issuer, template, asker, spared);
    return e;
}
