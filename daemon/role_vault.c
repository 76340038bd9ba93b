/*
 * The vault as a process: gives hsm its setup and its generations, hands it the channels the warden sends.
 * Has no socket and no ledger; judges nothing itself. The loop's thread.
 */
#include "role_vault.h"

#include <stdlib.h>

#include "base/check.h"

struct vault {
    struct child *child;
    struct hsm_vault *hsm;
};

/* "NAME=value", NULL-ended. */
static const char *const *environment(const struct config_token *t, struct arena *arena)
{
    const char **to = arena_array(arena, t->env_n + 1, sizeof *to);
    for (size_t i = 0; i < t->env_n; i++)
        to[i] = arena_printf(arena, "%s=%s", t->env_names[i], t->env_values[i]);
    return to;
}

static const char *const *ended(const struct conf_texts *t, struct arena *arena)
{
    const char **to = arena_array(arena, t->n + 1, sizeof *to);
    for (size_t i = 0; i < t->n; i++)
        to[i] = t->items[i];
    return to;
}

static struct hsm_token_setup token_setup(const struct config *c, const struct config_vault *v, size_t i,
                                          int pin_fd, struct arena *arena)
{
    const struct config_token *t = &c->tokens[v->tokens[i]];
    return (struct hsm_token_setup){
        .name = t->name,
        .uri = t->uri,
        .pin_fd = pin_fd,
        .pin_state_path = arena_printf(arena, "%s/pin.refused%s%s", v->roll, i ? "-" : "", i ? t->name : ""),
        .lock_path = arena_printf(arena, "%s/%s", c->paths.lock, t->name),
        .sync_path = t->writes.n ? t->writes.items[0] : NULL,
        .unsaid = ended(&t->unsaid, arena),
    };
}

struct hsm_vault_setup role_vault_setup(const struct config *c, unsigned vault, int first_pin,
                                        struct arena *arena)
{
    const struct config_vault *v = &c->vaults[vault];
    const struct config_token *t = &c->tokens[v->tokens[0]];
    const struct hsm_token_setup first = token_setup(c, v, 0, first_pin, arena);
    struct hsm_token_setup *more = arena_array(arena, v->tokens_n, sizeof *more);
    for (size_t i = 1; i < v->tokens_n; i++)
        more[i - 1] = token_setup(c, v, i, first_pin < 0 ? -1 : first_pin + (int)i, arena);
    return (struct hsm_vault_setup){
        .name = c->vaults_n > 1 ? v->name : NULL,
        .module = t->module,
        .init_args = t->init_args,
        .env = environment(t, arena),
        .token_name = first.name,
        .token_uri = first.uri,
        .pin_fd = first.pin_fd,
        .pin_state_path = first.pin_state_path,
        .lock_path = first.lock_path,
        .sync_path = first.sync_path,
        .unsaid = first.unsaid,
        .more = more,
        .n_more = v->tokens_n - 1,
        .roll_dir = v->roll,
    };
}

struct hsm_vault_config role_vault_config(const struct setup *s, unsigned vault)
{
    struct hsm_issuer_setup *issuers = arena_array(s->arena, s->n, sizeof *issuers);

    for (size_t i = 0; i < s->n; i++)
        issuers[i] = (struct hsm_issuer_setup){
            .name = s->issuers[i].config->name,
            .key_uri = s->issuers[i].config->vault == vault ? s->issuers[i].config->key : NULL,
            .certificate = s->issuers[i].certificate,
            .alg = s->issuers[i].alg,
            .may_issue = s->issuers[i].config->issue,
            .partitioned = s->issuers[i].config->crl_partition > 0,
            .ocsp_by_issuer = s->issuers[i].config->ocsp_signer == CONFIG_OCSP_ISSUER,
        };
    return (struct hsm_vault_config){
        .generation = s->generation.number,
        .issuers = issuers,
        .n_issuers = s->n,
        .base_url = s->config->public_url,
        .log_origin = s->config->heads.origin,
        .self_names = s->config->names.items,
        .n_self_names = s->config->names.n,
        .roster_yaml = s->roster_yaml,
        .roster_sigs = s->roster_sigs,
    };
}

static struct err *vault_open(struct child *c, void **ret_self)
{
    struct err *e = NULL;
    struct vault *v = calloc(1, sizeof *v);
    struct setup *s = child_setup(c);

    CHECK(v);
    v->child = c;
    struct hsm_vault_setup setup = role_vault_setup(s->config, child_index(c), child_pin(c), s->arena);
    struct hsm_vault_config config = role_vault_config(s, child_index(c));
    TRY(hsm_vault_open(child_loop(c), &setup, &config, &s->templates, &v->hsm));
    *ret_self = v;
    v = NULL;
out:
    free(v);
    return e;
}

static void vault_attach(void *self, enum message_process peer, unsigned index, int fd)
{
    struct vault *v = self;
    (void)index;
    hsm_vault_attach(v->hsm, peer == MESSAGE_FRONT ? HSM_PEER_FRONT : HSM_PEER_RESPONDER, fd);
}

static struct err *vault_prepare(void *self, struct setup *next)
{
    struct vault *v = self;
    struct hsm_vault_config config = role_vault_config(next, child_index(v->child));
    return hsm_vault_prepare(v->hsm, &config, &next->templates);
}

static void vault_commit(void *self, struct setup *now)
{
    struct vault *v = self;
    (void)now;
    hsm_vault_commit(v->hsm);
}

static void vault_abort(void *self)
{
    struct vault *v = self;
    hsm_vault_abort(v->hsm);
}

static void vault_retry_pin(void *self, size_t token, int fd)
{
    struct vault *v = self;
    hsm_vault_retry_pin(v->hsm, token, fd);
}

static void pin_changed(void *arg, size_t token, enum hsm_pin_change outcome, const char *why)
{
    struct vault *v = arg;
    child_pin_changed(v->child, token, outcome, why);
}

static void vault_change_pin(void *self, size_t token, int fd)
{
    struct vault *v = self;
    hsm_vault_change_pin(v->hsm, token, fd, pin_changed, v);
}

static void vault_stop(void *self)
{
    struct vault *v = self;
    child_stop(v->child, NULL);
}

static void vault_close(void *self)
{
    struct vault *v = self;
    hsm_vault_free(v->hsm);
    free(v);
}

const struct child_role role_vault = {
    .open = vault_open,
    .attach = vault_attach,
    .prepare = vault_prepare,
    .commit = vault_commit,
    .abort = vault_abort,
    .retry_pin = vault_retry_pin,
    .change_pin = vault_change_pin,
    .stop = vault_stop,
    .close = vault_close,
};
