/*
 * The list `tokens`, and what follows from it: which vault opens each, where that keeps its roll, and which
 * token an issuer's key is in. Never opens anything. Any thread.
 */
#include "tokens.h"

#include <ctype.h>

static bool env_name_ok(const char *name)
{
    if (!isupper((unsigned char)name[0]) && name[0] != '_')
        return false;
    for (const char *c = name; *c; c++)
        if (!isupper((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
            return false;
    /* These change what the vault's own program does, not the library. */
    return strncmp(name, "LD_", 3) != 0 && strncmp(name, "OPENSSL_", 8) != 0 &&
           strcmp(name, "GCONV_PATH") != 0;
}

static struct err *token_env(struct parse *p, const json_t *env, struct config_token *t)
{
    const char *name;
    json_t *value;

    if (!env)
        return NULL;
    if (!json_is_object(env))
        return conf_error(p->conf, env, "env is a mapping of names to texts");
    const char **names = arena_array(p->arena, json_object_size(env), sizeof *names);
    const char **values = arena_array(p->arena, json_object_size(env), sizeof *values);
    json_object_foreach((json_t *)env, name, value)
    {
        if (!env_name_ok(name))
            return conf_error(p->conf, value, "'%s' may not be set here", name);
        if (!json_is_string(value))
            return conf_error(p->conf, value, "the value of %s must be a text", name);
        names[t->env_n] = arena_str(p->arena, view_str(name));
        values[t->env_n++] = arena_str(p->arena, view_str(json_string_value(value)));
    }
    t->env_names = names;
    t->env_values = values;
    return NULL;
}

bool tokens_uri_ok(const char *uri)
{
    return strncmp(uri, "pkcs11:", 7) == 0 && uri[7] != 0;
}

static struct err *token(struct parse *p, const json_t *node, struct config_token *all, size_t at)
{
    struct err *e = NULL;
    struct rows_token *rows = ARENA_NEW(p->arena, struct rows_token);
    struct config_token *t = &rows->token;

    TRY(parse_fill(p, ROWS_TOKEN, node, rows));
    if (!parse_name_ok(t->name))
        return conf_error(p->conf, json_object_get(node, "name"),
                          "'%s' is not a name of lower-case letters, digits and hyphens", t->name);
    if (!tokens_uri_ok(t->uri))
        return conf_error(p->conf, json_object_get(node, "uri"), "'%s' is not a pkcs11: URI (RFC 7512)",
                          t->uri);
    TRY(token_env(p, rows->env, t));
    t->module = parse_path(p, t->module);
    t->pin_file = parse_path(p, t->pin_file);
    t->reads = parse_paths(p, t->reads);
    t->writes = parse_paths(p, t->writes);
    t->shares = parse_paths(p, t->shares);
    for (size_t i = 0; i < at; i++) {
        if (strcmp(all[i].name, t->name) == 0)
            return conf_error(p->conf, json_object_get(node, "name"), "a second token named '%s'", t->name);
        if (strcmp(all[i].pin_file, t->pin_file) == 0)
            return conf_error(p->conf, json_object_get(node, "pin_file"),
                              "the PIN of token '%s': each token has a file of its own", all[i].name);
    }
    all[at] = *t;
out:
    return e;
}

/* The first vault keeps the folder that a house of one token has. */
static void vault_of(struct parse *p, struct config_token *all, size_t at, struct config_vault *vaults)
{
    for (size_t i = 0; i < p->to->vaults_n; i++)
        if (strcmp(all[vaults[i].tokens[0]].module, all[at].module) == 0) {
            all[at].vault = i;
            vaults[i].tokens[vaults[i].tokens_n++] = at;
            return;
        }
    all[at].vault = p->to->vaults_n;
    vaults[p->to->vaults_n++] = (struct config_vault){.name = all[at].name, .tokens = {at}, .tokens_n = 1};
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* A library is loaded once: with one environment and one text for C_Initialize. */
static struct err *same_library(struct parse *p, const json_t *node, const struct config_token *first,
                                const struct config_token *t)
{
    bool same = same_text(first->init_args, t->init_args) && first->env_n == t->env_n &&
                first->connects == t->connects;
    for (size_t i = 0; same && i < t->env_n; i++)
        same = same_text(first->env_names[i], t->env_names[i]) &&
               same_text(first->env_values[i], t->env_values[i]);
    if (same)
        return NULL;
    return conf_error(
        p->conf, node,
        "tokens '%s' and '%s' are of one library, which is loaded once: env, init_args and connects "
        "must be the same",
        first->name, t->name);
}

struct err *tokens_parse(struct parse *p)
{
    struct err *e = NULL;
    size_t n = json_array_size(p->top.tokens);
    struct config_token *all = arena_array(p->arena, n, sizeof *all);
    struct config_vault *vaults = arena_array(p->arena, n, sizeof *vaults);

    if (!json_is_array(p->top.tokens) || n == 0 || n > CONFIG_TOKENS_MAX)
        return conf_error(p->conf, p->top.tokens, "tokens is a list of 1 to %d", CONFIG_TOKENS_MAX);
    for (size_t i = 0; i < n; i++) {
        TRY(token(p, json_array_get(p->top.tokens, i), all, i));
        vault_of(p, all, i, vaults);
        TRY(same_library(p, json_array_get(p->top.tokens, i), &all[vaults[all[i].vault].tokens[0]], &all[i]));
    }
    p->to->tokens = all;
    p->to->tokens_n = n;
    p->to->vaults = vaults;
out:
    return e;
}

void tokens_rolls(struct parse *p)
{
    struct config_vault *vaults = (struct config_vault *)p->to->vaults;
    for (size_t i = 0; i < p->to->vaults_n; i++)
        vaults[i].roll =
            i == 0 ? p->to->paths.roll : arena_printf(p->arena, "%s-%s", p->to->paths.roll, vaults[i].name);
}

/* "token=LABEL" of a pkcs11: URI, as it is written; empty where it names none. */
static struct view uri_label(const char *uri)
{
    const char *at = uri + strlen("pkcs11:");
    for (size_t n; *at; at += n + (at[n] != 0)) {
        n = strcspn(at, ";?");
        if (strncmp(at, "token=", 6) == 0)
            return view_of(at, n);
    }
    return view_of(NULL, 0);
}

struct err *tokens_issuer(struct parse *p, const json_t *node, struct config_issuer *to)
{
    const char *name = to->token;
    struct view label = to->key && tokens_uri_ok(to->key) ? uri_label(to->key) : view_of(NULL, 0);
    to->token = NULL;
    for (size_t i = p->to->tokens_n; i-- > 0;) {
        const struct config_token *t = &p->to->tokens[i];
        bool named = name && strcmp(t->name, name) == 0;
        bool labelled = !name && label.n && view_eq(uri_label(t->uri), label);
        if (named || labelled || (!name && !label.n && i == 0)) {
            to->token = t->name;
            to->vault = t->vault;
        }
    }
    if (to->token)
        return NULL;
    if (name)
        return conf_error(p->conf, json_object_get(node, "token"), "no token is named '%s'", name);
    return conf_error(p->conf, json_object_get(node, "key"), "no token of the list has the label in '%s'",
                      to->key);
}
