/*
 * The front's vaults, each with a client: made, joined, told apart by name, and what they say of their
 * tokens. Decides nothing. The loop's thread.
 */
#include "front_vaults.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"

struct vault {
    struct front_vaults *of;
    struct hsm *hsm;
};

struct front_vaults {
    struct front_vaults_events events;
    struct vault vaults[CONFIG_TOKENS_MAX];
    size_t n;
};

static void on_ready(void *arg, uint64_t roll_n)
{
    struct vault *v = arg;
    log_info("vault.attached", log_text("vault", hsm_name(v->hsm)), log_num("roll_n", (long long)roll_n));
    v->of->events.ready(v->of->events.arg, v->hsm);
}

static void on_lost(void *arg, const struct err *why)
{
    struct vault *v = arg;
    (void)why;
    log_warn("vault.lost", log_text("vault", hsm_name(v->hsm)));
    v->of->events.lost(v->of->events.arg, v->hsm);
}

struct front_vaults *front_vaults_new(struct loop *l, const struct setup *s,
                                      const struct front_vaults_events *events)
{
    struct front_vaults *all = calloc(1, sizeof *all);
    CHECK(all);
    all->events = *events;
    for (; all->n < s->config->vaults_n; all->n++) {
        struct vault *v = &all->vaults[all->n];
        v->of = all;
        v->hsm = hsm_new(l, (struct hsm_events){on_ready, on_lost, v});
        hsm_name_set(v->hsm, s->config->vaults[all->n].name);
        if (all->n > 0)
            hsm_join(all->vaults[0].hsm, v->hsm);
    }
    front_vaults_set(all, s);
    return all;
}

struct hsm *front_vaults_first(const struct front_vaults *v)
{
    return v->vaults[0].hsm;
}

void front_vaults_set(struct front_vaults *v, const struct setup *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct config_issuer *issuer = s->issuers[i].config;
        if (!issuer->key)
            continue;
        hsm_holds(v->vaults[issuer->vault].hsm, issuer->name);
        hsm_serials_for(v->vaults[0].hsm, issuer->name);
    }
}

void front_vaults_attach(struct front_vaults *v, unsigned index, int fd)
{
    CHECK(index < v->n);
    hsm_attach(v->vaults[index].hsm, fd);
}

static struct err *token_ready(const struct hsm_status *s)
{
    if (!s->attached) /* not heard yet: as good as the vault's presence */
        return NULL;
    if (strcmp(s->token, "pin-refused") == 0)
        return err_new(ERR_PIN_REFUSED,
                       "the token has refused its PIN; it is not tried again until that changes");
    if (strcmp(s->token, "ready") != 0)
        return err_new(ERR_TOKEN_AWAY, "the signing token is %s", s->token);
    for (size_t i = 0; i < s->n_tokens && s->n_tokens > 1; i++)
        if (strcmp(s->tokens[i].state, "ready") != 0)
            return err_new(ERR_TOKEN_AWAY, "the token '%s' is %s", s->tokens[i].name, s->tokens[i].state);
    for (size_t i = 0; i < s->n; i++)
        if (!s->issuers[i].ok)
            return err_new(ERR_TOKEN_AWAY, "%s: %s", s->issuers[i].issuer, s->issuers[i].reason);
    return NULL;
}

struct err *front_vaults_ready(const struct front_vaults *v)
{
    struct err *e = NULL;
    for (size_t i = 0; i < v->n && !e; i++) {
        e = token_ready(hsm_status(v->vaults[i].hsm));
        if (v->n > 1)
            e = err_wrap(e, "%s", hsm_name(v->vaults[i].hsm));
    }
    return e;
}
