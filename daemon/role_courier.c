/*
 * The courier as a process: outgoing connections and nothing else. Where it goes stands in its own
 * configuration; whoever asks only names an errand. No key, no ledger, no listening socket. The loop's
 * thread.
 */
#include "role_courier.h"

#include <stdlib.h>

#include "base/check.h"
#include "courier.h"
#include "courier_check.h"
#include "tlog.h"

struct courier_role {
    struct child *child;
    struct courier_server *server;
};

static void set_checks(const struct courier_role *c, const struct setup *s)
{
    const struct config_validation *v = &s->config->acme.validation;
    struct courier_checking *how = ARENA_NEW(s->arena, struct courier_checking);
    *how = (struct courier_checking){
        .vantages = v->resolvers.items,
        .vantages_n = v->resolvers.n,
        .agree = (size_t)v->agree,
        .allow = v->allow_nets.items,
        .allow_n = v->allow_nets.n,
        .deny = v->deny_nets.items,
        .deny_n = v->deny_nets.n,
        .issuers = v->issuers.items,
        .issuers_n = v->issuers.n,
        .deadline_s = v->timeout_s,
        .redirects = (size_t)v->redirects,
        .trial = v->trial,
        .http_port = (uint16_t)v->http_port,
        .tls_port = (uint16_t)v->tls_port,
    };
    courier_server_set_checks(c->server, how);
}

static void set(const struct courier_role *c, const struct setup *s)
{
    set_checks(c, s);
    const struct config_heads *heads = &s->config->heads;
    struct courier_place *to = arena_array(s->arena, s->n + 1, sizeof *to);
    size_t n = 0;
    if (heads->put)
        to[n++] = (struct courier_place){TLOG_PLACE, heads->put, heads->put_header, heads->put_ca};
    for (size_t i = 0; i < s->n; i++) {
        const struct config_issuer *from = s->issuers[i].config;
        if (from->crl_put)
            to[n++] =
                (struct courier_place){from->name, from->crl_put, from->crl_put_header, from->crl_put_ca};
    }
    courier_server_set(c->server, to, n);
}

static struct err *courier_open(struct child *child, void **ret_self)
{
    struct err *e = NULL;
    struct courier_role *c = calloc(1, sizeof *c);

    CHECK(c);
    c->child = child;
    TRY(courier_server_new(child_loop(child), &c->server));
    set(c, child_setup(child));
    child_serving(child);
    *ret_self = c;
    return NULL;
out:
    free(c);
    return e;
}

static void courier_attach_peer(void *self, enum message_process peer, unsigned index, int fd)
{
    struct courier_role *c = self;
    CHECK(peer == MESSAGE_FRONT && index == 0);
    courier_server_attach(c->server, fd);
}

static struct err *courier_prepare(void *self, struct setup *next)
{
    (void)self;
    (void)next; /* reading it was the check */
    return NULL;
}

static void courier_commit(void *self, struct setup *now)
{
    set(self, now);
}

static void courier_abort(void *self)
{
    (void)self;
}

/* Nothing of ours is lost: whoever asked asks again in its next life. */
static void courier_stop(void *self)
{
    struct courier_role *c = self;
    child_stop(c->child, NULL);
}

static void courier_close(void *self)
{
    struct courier_role *c = self;
    courier_server_free(c->server);
    free(c);
}

const struct child_role role_courier = {
    .open = courier_open,
    .attach = courier_attach_peer,
    .prepare = courier_prepare,
    .commit = courier_commit,
    .abort = courier_abort,
    .stop = courier_stop,
    .close = courier_close,
};
