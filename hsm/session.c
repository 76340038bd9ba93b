/*
 * The pool of sessions of one token: as many as there are threads at work at the same time, opened when first
 * needed and kept. A session of an older epoch is dead already (C_CloseAllSessions or C_Finalize ended it):
 * it is opened anew and its old handle never used, for the module may have given that number to another. Any
 * thread.
 */
#include <stdlib.h>

#include "base/check.h"
#include "token_state.h"

static struct session *pop(struct token *t)
{
    struct session *s;

    CHECK(pthread_mutex_lock(&t->pool_lock) == 0);
    s = t->idle;
    if (s)
        t->idle = s->next;
    CHECK(pthread_mutex_unlock(&t->pool_lock) == 0);
    return s ? s : calloc(1, sizeof *s);
}

static void push(struct token *t, struct session *s)
{
    CHECK(pthread_mutex_lock(&t->pool_lock) == 0);
    s->next = t->idle;
    t->idle = s;
    CHECK(pthread_mutex_unlock(&t->pool_lock) == 0);
}

CK_RV session_take(struct token *t, struct session **ret)
{
    struct session *s = pop(t);
    CK_RV rv = CKR_OK;

    if (!s)
        return CKR_HOST_MEMORY;
    if (s->epoch != t->epoch)
        rv = MODULE_CALL(t->module, C_OpenSession, t->slot, CKF_SERIAL_SESSION, NULL, NULL, &s->handle);
    if (rv != CKR_OK) {
        s->epoch = 0;
        push(t, s);
        return rv;
    }
    s->epoch = t->epoch;
    *ret = s;
    return CKR_OK;
}

void session_give(struct token *t, struct session *s, bool fine)
{
    if (!fine) {
        (void)MODULE_CALL(t->module, C_CloseSession, s->handle);
        s->epoch = 0;
    }
    push(t, s);
}

void session_free_all(struct token *t)
{
    struct session *next;

    for (struct session *s = t->idle; s; s = next) {
        next = s->next;
        free(s);
    }
    t->idle = NULL;
}
