/*
 * `chanceryd --check`: everything a vault would open, opened once and closed, each finding told. Writes
 * nothing but what trying a PIN writes; a token held by a running vault is left alone and said so. No loop.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/file.h"
#include "vault.h"

struct checking {
    hsm_finding_fn *fn;
    void *arg;
    bool well;
};

static void found(struct checking *c, bool wrong, const char *what)
{
    c->well = c->well && !wrong;
    c->fn(c->arg, wrong, what);
}

/* Tells e and frees it; else tells `fine`. */
static bool tell(struct checking *c, struct err *e, const char *fine)
{
    found(c, e != NULL, e ? err_detail(e) : fine);
    bool ok = e == NULL;
    err_free(e);
    return ok;
}

static void check_roll(struct checking *c, const char *dir)
{
    char path[4096], text[128];
    uint64_t n = 0;
    struct view file = {NULL, 0};
    struct arena *arena = arena_new((size_t)1 << 36);
    CHECK((size_t)snprintf(path, sizeof path, "%s/%s", dir, HSM_ROLL_FILE) < sizeof path);
    struct err *e = file_read(path, (size_t)1 << 35, arena, &file);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        arena_free(arena);
        found(c, false, "the seal roll is not begun yet");
        return;
    }
    if (!e)
        e = hsm_roll_verify(file, NULL, NULL, &n, NULL);
    (void)snprintf(text, sizeof text, "the seal roll holds %llu entries, its chain is whole",
                   (unsigned long long)n);
    tell(c, e, text);
    arena_free(arena);
}

static void check_roster(struct checking *c, const char *dir, const struct hsm_vault_config *config)
{
    struct hsm_roster *roster = NULL;
    bool is_new = false;
    struct err *e = hsm_roster_parse("roster.yaml", config->roster_yaml, &roster);
    if (!e)
        e = roster_admit(dir, roster, config->roster_sigs, &is_new);
    tell(c, e, is_new ? "the roster is new and will be pinned" : "the roster is the pinned one");
    hsm_roster_free(roster);
}

/* Which issuers' keys are in a token that is open: own ones, and copies. */
static void check_keys(struct checking *c, struct token *t, const struct house *house, bool *there)
{
    for (size_t i = 0; house && i < house->n_issuers; i++) {
        const struct house_issuer *issuer = &house->issuers[i];
        const struct token_key *key = NULL;
        if (!issuer->key_uri)
            continue;
        struct err *e = token_key_find_uri(t, issuer->key_uri, &key);
        if (!e && memcmp(key->spki_sha256, issuer->spki_sha256, SHA256_BYTES) != 0)
            e = err_new(ERR_CONFIG, "the key in the token is not the one in the certificate");
        there[i] = there[i] || !e;
        if (e && err_code(e) != ERR_NOT_FOUND)
            tell(c, err_wrap(e, "issuer %s", issuer->name), "");
        else
            err_free(e);
    }
}

static bool check_token(struct checking *c, const struct vault_setup *setup, size_t i, struct module **module,
                        const struct house *house, bool *there)
{
    char text[256];
    struct token *token = NULL;
    struct err *e = vault_token_open(setup, &setup->tokens[i], module, &token);
    if (e && err_code(e) == ERR_WRONG_STATE) {
        found(c, false, "the token is in use by a running vault: PIN and keys are not tried");
        err_free(e);
        return false;
    }
    (void)snprintf(text, sizeof text, "token %s is there and took its PIN", setup->tokens[i].name);
    if (tell(c, e, setup->n_tokens > 1 ? text : "the token is there and took its PIN"))
        check_keys(c, token, house, there);
    bool looked = token != NULL;
    token_close(token);
    return looked;
}

static void check_tokens(struct checking *c, const struct vault_setup *setup, const struct house *house)
{
    struct module *module = NULL;
    bool there[HOUSE_ISSUERS_MAX] = {false}, looked = false;
    char text[256];
    for (size_t i = 0; i < setup->n_tokens; i++)
        looked = check_token(c, setup, i, &module, house, there) || looked;
    for (size_t i = 0; looked && house && i < house->n_issuers; i++) {
        (void)snprintf(text, sizeof text, "issuer %s: its key is %s the token", house->issuers[i].name,
                       there[i] ? "in" : "not in");
        if (house->issuers[i].key_uri)
            found(c, !there[i], text);
    }
    module_close(module);
}

bool hsm_vault_check(const struct hsm_vault_setup *setup, const struct hsm_vault_config *config,
                     struct templates **templates, hsm_finding_fn *fn, void *arg)
{
    struct checking c = {fn, arg, true};
    struct house *house = NULL;
    struct arena *arena = arena_new(1 << 20);
    struct vault_setup copied;
    vault_setup_copy(arena, setup, &copied);
    copied.make_label = NULL;
    tell(&c, house_new(config, templates, &house), "the issuers' certificates are in order");
    if (config->roster_yaml.n > 0)
        check_roster(&c, setup->roll_dir, config);
    check_roll(&c, setup->roll_dir);
    check_tokens(&c, &copied, house);
    house_unref(house);
    arena_free(arena);
    return c.well;
}
