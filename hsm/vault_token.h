/*
 * The vault's tokens: where each stands, and how it is reached. Part of vault.h, which includes it; the
 * vault's loop.
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

struct vault_token_setup {
    const char *name, *uri, *pin_state_path, *lock_path, *sync_path;
    const char *const *unsaid;
    int pin_fd;
};

struct vault_token {
    struct hsm_vault *v;
    const struct vault_token_setup *setup;
    struct token *token; /* NULL until it came up once */
    struct loop_timer *timer;
    enum vault_state state;
    char detail[256];
    int64_t wait_ms;
    bool busy; /* a job of ours is with the asker, since */
    int64_t busy_since_ms;
    struct pin *fresh_pin;      /* to be tried from now on, or NULL */
    struct vault_folder folder; /* setup.sync_path at the start */
    const char *pin_change;     /* how the last one ended, in the vault's arena; NULL: none */
};

/* --- vault_token.c --- */
MUST_USE struct err *vault_token_start(struct hsm_vault *v); /* first try, here and now */
void vault_token_stop(struct hsm_vault *v);
/* Any of them is ready: NULL. Else of the first ERR_TOKEN_AWAY, ERR_PIN_REFUSED. */
MUST_USE struct err *vault_token_check(const struct hsm_vault *v);
/* One that is ready, the first before others; NULL where vault_token_check() has an error. */
struct vault_token *vault_token_any(struct hsm_vault *v);
/* The first that has ever come up; NULL: none has. Any thread: none goes before the vault does. */
struct token *vault_token_first(const struct hsm_vault *v);
/* This token failed with this. */
void vault_token_trouble(struct hsm_vault *v, const struct token *token, const struct err *e);
const char *vault_token_state_name(enum vault_state state);
/* The blocking half of bringing a token up, for the asker and for --check. */
MUST_USE struct err *vault_token_open(const struct vault_setup *setup, const struct vault_token_setup *which,
                                      struct module **module, struct token **ret);

/* --- vault_key.c --- */
/* Finds the keys of this generation; strict: the first that is missing is the error, while the first token is
 * ready. */
MUST_USE struct err *vault_key_find_all(struct hsm_vault *v, struct house *house, bool strict);
/* The key with this label, in whichever token that is there has it. ERR_NOT_FOUND. */
MUST_USE struct err *vault_key_find(struct hsm_vault *v, const char *label, const struct token_key **ret);
/* NULL where a key of the issuer can sign now; ERR_TOKEN_AWAY. */
MUST_USE struct err *vault_key_check(const struct hsm_vault *v, const struct house_issuer *issuer);
/* key where its token is ready, else spare where that one's is, else NULL; each may be NULL. */
const struct token_key *vault_key_usable(const struct hsm_vault *v, const struct token_key *key,
                                         const struct token_key *spare);

#endif
