/*
 * The inside of a token, shared by token.c (life and login), session.c (the pool), token_key.c (keys),
 * token_spki.c, token_pin.c, token_info.c, login.c and keygen.c; nobody else includes this. What is marked
 * [module] is guarded by the module's lock: written by who holds it alone, read by who holds it shared.
 */
#ifndef CHANCERY_HSM_TOKEN_STATE_H
#define CHANCERY_HSM_TOKEN_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "token.h"

/* A key and the parts of it that nobody outside sees. `key` is first: a pointer to it is a pointer to this.
 */
struct token_entry {
    struct token_key key;
    struct arena *arena;
    EVP_PKEY *public;
    CK_OBJECT_HANDLE handle; /* [module] CK_INVALID_HANDLE: no longer on the token */
    atomic_bool proven;
    struct token_entry *next;
};

struct session {
    CK_SESSION_HANDLE handle;
    unsigned epoch; /* of the token when it was opened; 0: not open */
    struct session *next;
};

struct token {
    struct module *module;
    struct pin *pin;
    struct arena *arena;
    struct uri uri;
    int lock_fd;
    const char *sync_path;
    const char *const *unsaid; /* NULL-ended, or NULL */
    const char *label, *serial, *model;

    CK_SLOT_ID slot;          /* [module] */
    CK_SESSION_HANDLE anchor; /* [module] keeps the login alive while no other session is open */
    unsigned epoch;           /* [module] grows whenever all sessions ended; from 1 */
    unsigned module_epoch;    /* [module] of the module when slot was found */
    bool counted;             /* [module] among the module's open tokens */
    bool lost;                /* [module] nothing works until it is attached again */
    unsigned missing;         /* [module] known keys that are not on the token */
    struct token_entry *keys; /* [module] grows at the front, entries stay */

    pthread_mutex_t pool_lock;
    struct session *idle; /* pool_lock */
};

/* session.c. Hold the module shared: a session of the present epoch, opened where need be. */
CK_RV session_take(struct token *t, struct session **ret);
/* fine: the last call on it succeeded; else it is closed, because an operation may be under way on it. */
void session_give(struct token *t, struct session *s, bool fine);
void session_free_all(struct token *t);

/* login.c. Hold the module alone, a session open at t->anchor. */
MUST_USE struct err *login_user(struct token *t);
/* ERR_PIN_REFUSED, ERR_CONFIG where the token says that no PIN may be shown to it now. */
MUST_USE struct err *login_allowed(const CK_TOKEN_INFO *info);
/* The error of a PIN that the token refused, which is remembered. */
MUST_USE struct err *login_refused(struct token *t, CK_RV rv);

/* token.c. Hold the module alone: new sessions and a new login, the module anew where no other token is open
 * on it, so that nothing a module keeps in memory can answer for the token. */
MUST_USE struct err *token_attach_anew(struct token *t);

/* token_key.c. Hold the module alone: finds the handle of every known key again; *ret_missing: how many are
 * not there. */
MUST_USE struct err *token_key_refresh(struct token *t, unsigned *ret_missing);
void token_key_free_all(struct token *t);
/* ERR_CONFIG where one of these is no attribute that can be unsaid. */
MUST_USE struct err *token_key_check_unsaid(const char *const *names);

/* token_attr.c: objects and what they say of themselves. Hold the module. */
enum { TOKEN_FOUND_MAX = 8 };
CK_RV token_attr_find(struct module *m, CK_SESSION_HANDLE s, CK_ATTRIBUTE *wanted, CK_ULONG n,
                      CK_OBJECT_HANDLE ret[TOKEN_FOUND_MAX], CK_ULONG *ret_n);
/* In the arena. CKR_ATTRIBUTE_TYPE_INVALID and the like as they come. */
CK_RV token_attr_bytes(struct module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
                       struct arena *arena, struct view *ret);
/* An attribute that the module does not know counts as `otherwise`. */
bool token_attr_flag(struct module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
                     bool otherwise);

/* token_spki.c. The whole SubjectPublicKeyInfo of a public object, in the arena; and a curve's CKA_EC_PARAMS,
 * the nth way in which modules write it (0 is the first to try; empty where there is no further, or the kind
 * is no curve). */
MUST_USE struct err *token_spki_read(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public,
                                     struct arena *arena, struct view *ret);
struct view token_spki_curve(enum cert_key_kind kind, unsigned nth);

/* The call went wrong because session, login, object, token or module is gone. */
bool token_is_lost(CK_RV rv);

#endif
