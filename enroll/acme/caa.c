/* CAA (RFC 8659, 8657) once more before a certificate is made, where the template wants it: the courier looks
 * at every name; one that forbids us is enough. */
#include "acme.h"

#include "base/hex.h"
#include "courier_check.h"

struct caa {
    struct acme_work *work;
    size_t left;
    struct err *e; /* the first */
    caa_done *done;
};

static void one_done(struct caa *c, struct err *e)
{
    if (e && c->e)
        err_free(e);
    else if (e)
        c->e = e;
    if (--c->left == 0)
        c->done(c->work, c->e);
}

struct name {
    struct caa *caa;
    const char *text;
};

static void looked(void *arg, const struct courier_finding *f)
{
    const struct name *n = arg;
    struct err *e = NULL;
    if (f->verdict == COURIER_UNTRIED)
        e = err_new(ERR_BUSY, "CAA of %s could not be looked at now", n->text);
    if (f->verdict == COURIER_INVALID)
        e = err_new(ERR_CAA, "%s: %s", n->text, f->detail);
    one_done(n->caa, e);
}

/* As RFC 8657 4 has it; a name that its key approves has none of the standard ones. */
static const char *method_of(struct acme_work *w, const char *authz)
{
    struct view id;
    struct ledger_entry entry = {.seq = 0};
    struct err *e = hex_parse(w->arena, view_str(authz), &id);
    if (!e)
        e = ledger_object_find(w->en->setup.ledger, LEDGER_ACME_AUTHZ, id, w->arena, &entry);
    bool approved = !e && strcmp(entry.body.acme_authz.tried, "pre-approved") == 0;
    const char *method = e ? "" : approved ? "ca-eab" : entry.body.acme_authz.tried;
    err_free(e);
    return method;
}

static void look(struct caa *c, const struct ledger_acme_order *o, size_t i)
{
    struct enroll *en = c->work->en;
    const char *text = o->names.items[i] + 4;
    struct name *n = ARENA_NEW(c->work->arena, struct name);
    bool wildcard = strncmp(text, "*.", 2) == 0;
    *n = (struct name){c, text};
    const struct courier_check check = {
        .kind = COURIER_CAA,
        .identifier = wildcard ? text + 2 : text,
        .wildcard = wildcard,
        .account = arena_printf(c->work->arena, "%s/acme/account/%s", en->config.acme->url,
                                hex_of(c->work->arena, o->object.owner)),
        .method = method_of(c->work, o->authzs.items[i]),
    };
    struct err *e = en->setup.courier ? courier_check(en->setup.courier, &check, looked, n)
                                      : err_new(ERR_BUSY, "nobody can look at CAA records here");
    if (e)
        one_done(c, e);
}

static void all_asked(void *arg)
{
    one_done(arg, NULL);
}

void caa_check(struct acme_work *w, const struct ledger_acme_order *o, caa_done *done)
{
    struct caa *c = ARENA_NEW(w->arena, struct caa);
    *c = (struct caa){.work = w, .left = 1, .done = done};
    for (size_t i = 0; i < o->names.n; i++)
        c->left += strncmp(o->names.items[i], "dns:", 4) == 0;
    for (size_t i = 0; i < o->names.n; i++)
        if (strncmp(o->names.items[i], "dns:", 4) == 0)
            look(c, o, i);
    loop_after_turn(w->en->setup.loop, all_asked, c); /* never from inside this call */
}
