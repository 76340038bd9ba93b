/*
 * The vault's token: where it stands, and how it is reached. Part of vault.h, which includes it; the vault's
 * loop.
 */
#ifndef CHANCERY_HSM_VAULT_TOKEN_H
#define CHANCERY_HSM_VAULT_TOKEN_H

#include <sys/types.h>

#include "base/worker.h"
#include "house.h"
#include "signer.h"

struct hsm_vault;
struct vault_setup;

struct vault_folder { /* inode 0: none */
    dev_t device;
    ino_t inode;
};

enum vault_state { VAULT_STARTING, VAULT_READY, VAULT_AWAY, VAULT_PIN_REFUSED };

struct vault_token {
    struct module *module;
    struct token *token; /* NULL until it came up once */
    struct signer *signer;
    struct worker *worker; /* everything slow but signing */
    struct loop_timer *timer;
    enum vault_state state;
    char detail[256];
    int64_t wait_ms;
    bool busy; /* a job of ours is with the worker, since */
    int64_t busy_since_ms;
    struct pin *fresh_pin;      /* to be tried from now on, or NULL */
    struct vault_folder folder; /* setup.sync_path at the start */
    const char *pin_change;     /* how the last one ended, in the vault's arena; NULL: none */
};

/* --- vault_token.c --- */
MUST_USE struct err *vault_token_start(struct hsm_vault *v); /* first try, here and now */
void vault_token_stop(struct hsm_vault *v);
/* ERR_TOKEN_AWAY, ERR_PIN_REFUSED; ready: NULL. */
MUST_USE struct err *vault_token_check(const struct hsm_vault *v);
/* A signature failed with this. */
void vault_token_trouble(struct hsm_vault *v, const struct err *e);
/* Finds the keys of this generation; strict: the first that is missing is the error, while the token is
 * ready. */
MUST_USE struct err *vault_token_find_keys(struct hsm_vault *v, struct house *house, bool strict);
const char *vault_token_state_name(enum vault_state state);
/* The blocking half of bringing a token up, for the worker and for --check. */
MUST_USE struct err *vault_token_open(const struct vault_setup *setup, struct module **module,
                                      struct token **ret);

#endif
