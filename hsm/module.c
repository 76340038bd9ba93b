/*
 * Loads a PKCS#11 module and finds tokens in it, both through libp11; everything else goes through the
 * module's own function list, because libp11's sessions, login and key lists have traps that a certificate
 * authority cannot afford. The library is never unmapped: what it registered with the C library or OpenSSL
 * stays callable to the end. Any thread; the lock is described in module.h.
 */
#include "module.h"

#include <dlfcn.h>
#include <libp11.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_LAST_MS = 16000, START_TRIES = 4, START_WAIT_MS = 20 };

struct module {
    char *path, *init_args;
    CK_FUNCTION_LIST *functions;
    PKCS11_CTX *libp11;
    pthread_rwlock_t lock;
    unsigned epoch;
    int64_t backoff_ms, not_before_ms;
    unsigned tokens; /* open on it */
};

static const struct {
    CK_RV rv;
    const char *name;
} rv_names[] = {
#define RV(name) {name, #name},
#include "rv.def"
#undef RV
};

const char *module_rv_name(CK_RV rv)
{
    for (size_t i = 0; i < sizeof rv_names / sizeof rv_names[0]; i++)
        if (rv_names[i].rv == rv)
            return rv_names[i].name;
    return "";
}

struct err *module_err(enum err_code code, const char *function, CK_RV rv, const char *what)
{
    return err_new(code, "%s: %s gave 0x%lx %s", what, function, rv, module_rv_name(rv));
}

CK_RV module_before(const char *function)
{
    ERR_set_mark();
    return world_token_call(function);
}

CK_RV module_after(CK_RV rv)
{
    ERR_pop_to_mark();
    return rv;
}

CK_FUNCTION_LIST *module_functions(const struct module *m)
{
    return m->functions;
}

void module_enter(struct module *m)
{
    CHECK(pthread_rwlock_rdlock(&m->lock) == 0);
}

void module_enter_alone(struct module *m)
{
    CHECK(pthread_rwlock_wrlock(&m->lock) == 0);
}

void module_leave(struct module *m)
{
    CHECK(pthread_rwlock_unlock(&m->lock) == 0);
}

unsigned module_epoch(const struct module *m)
{
    return m->epoch;
}

/* The environment is the process's own: this is done before any thread is started. */
static struct err *put_env(const char *const *env)
{
    for (; env && *env; env++) {
        const char *eq = strchr(*env, '=');
        char *name = eq ? strndup(*env, (size_t)(eq - *env)) : NULL;
        int rc = name && *name ? setenv(name, eq + 1, 1) : -1;

        free(name);
        if (rc != 0)
            return err_new(ERR_CONFIG, "the module's environment: \"%s\" is not NAME=value", *env);
    }
    return NULL;
}

static struct err *load_functions(struct module *m)
{
    CK_C_GetFunctionList get;
    void *handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CK_RV rv;

    if (!handle)
        return err_new(ERR_CONFIG, "the PKCS#11 module cannot be loaded: %s", dlerror());
    *(void **)&get = dlsym(handle, "C_GetFunctionList");
    rv = get ? get(&m->functions) : CKR_FUNCTION_NOT_SUPPORTED;
    dlclose(handle);
    if (rv != CKR_OK || !m->functions)
        return err_new(ERR_CONFIG, "%s is not a PKCS#11 module: no C_GetFunctionList", m->path);
    return NULL;
}

static void pause_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&ts, &ts) != 0)
        ;
}

/* libp11 0.4.12 initialises too, but finds it done: so the flags are ours, at the start and at every restart.
 */
static struct err *start(struct module *m)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = m->init_args};
    CK_RV rv = MODULE_CALL(m, C_Initialize, &args);

    /* SoftHSM says so too while another process is just rewriting one of the token's files. */
    for (int i = 1; rv == CKR_GENERAL_ERROR && i < START_TRIES; i++) {
        pause_ms(START_WAIT_MS * i);
        rv = MODULE_CALL(m, C_Initialize, &args);
    }
    if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return NULL;
    return module_err(
        ERR_TOKEN_AWAY, "C_Initialize", rv,
        "the PKCS#11 module does not start (is its own configuration file there and readable? SoftHSM: "
        "SOFTHSM2_CONF)");
}

static struct err *load_libp11(struct module *m)
{
    int rc;

    m->libp11 = PKCS11_CTX_new();
    if (!m->libp11)
        return err_new(ERR_NOMEM, "libp11");
    if (m->init_args)
        PKCS11_CTX_init_args(m->libp11, m->init_args);
    ERR_set_mark();
    rc = PKCS11_CTX_load(m->libp11, m->path);
    ERR_pop_to_mark();
    if (rc == 0)
        return NULL;
    PKCS11_CTX_free(m->libp11);
    m->libp11 = NULL;
    return err_new(ERR_TOKEN_AWAY, "libp11 cannot load %s", m->path);
}

static void lock_init(struct module *m)
{
    pthread_rwlockattr_t attr;

    CHECK(pthread_rwlockattr_init(&attr) == 0);
    /* Signers come and go all the time: one who wants the module alone must not wait for a gap. */
    CHECK(pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    CHECK(pthread_rwlock_init(&m->lock, &attr) == 0);
    pthread_rwlockattr_destroy(&attr);
}

struct err *module_open(const struct module_config *config, struct module **ret)
{
    struct err *e = NULL;
    struct module *m = calloc(1, sizeof *m);

    if (!m)
        return err_new(ERR_NOMEM, "PKCS#11 module");
    lock_init(m);
    m->path = strdup(config->path);
    m->init_args = config->init_args ? strdup(config->init_args) : NULL;
    TRY(put_env(config->env));
    TRY(load_functions(m));
    TRY(start(m));
    TRY(load_libp11(m));
    *ret = m;
    m = NULL;
out:
    module_close(m);
    return e;
}

void module_close(struct module *m)
{
    if (!m)
        return;
    if (m->functions)
        (void)MODULE_CALL(m, C_Finalize, NULL);
    if (m->libp11) {
        PKCS11_CTX_unload(m->libp11);
        PKCS11_CTX_free(m->libp11);
    }
    pthread_rwlock_destroy(&m->lock);
    free(m->path);
    free(m->init_args);
    free(m);
}

static bool slot_matches(const struct uri *uri, PKCS11_SLOT *slot)
{
    struct uri_token token = {0};

    if (!slot->token || !slot->token->initialized)
        return false;
    token.label = slot->token->label;
    token.manufacturer = slot->token->manufacturer;
    token.serial = slot->token->serialnr;
    token.model = slot->token->model;
    token.slot_id = PKCS11_get_slotid_from_slot(slot);
    return uri_match_token(uri, &token);
}

struct err *module_find(struct module *m, const struct uri *uri, CK_SLOT_ID *ret_slot)
{
    PKCS11_SLOT *slots = NULL;
    unsigned n = 0, found = 0;
    CK_RV rv = module_before("C_GetSlotList");
    int rc = rv == CKR_OK ? PKCS11_enumerate_slots(m->libp11, &slots, &n) : -1;
    CK_SLOT_ID slot = 0;

    for (unsigned i = 0; rc == 0 && i < n; i++)
        if (slot_matches(uri, &slots[i])) {
            slot = PKCS11_get_slotid_from_slot(&slots[i]);
            found++;
        }
    if (rc == 0)
        PKCS11_release_all_slots(m->libp11, slots, n);
    (void)module_after(rv);
    if (rc != 0)
        return err_new(ERR_TOKEN_AWAY, "the PKCS#11 module does not list its slots");
    if (found == 0)
        return err_new(
            ERR_TOKEN_AWAY,
            "no token matches the URI (its files readable by this user? made by the user that uses it?)");
    if (found > 1)
        return err_new(ERR_CONFIG, "%u tokens match the URI: name the serial as well", found);
    *ret_slot = slot;
    return NULL;
}

unsigned module_count_tokens(struct module *m, int change)
{
    m->tokens += (unsigned)change;
    return m->tokens;
}

bool module_is_rested(const struct module *m)
{
    return world_mono_ms() >= m->not_before_ms;
}

struct err *module_restart(struct module *m)
{
    struct err *e = NULL;

    m->backoff_ms = m->backoff_ms ? m->backoff_ms * 2 : BACKOFF_FIRST_MS;
    if (m->backoff_ms > BACKOFF_LAST_MS)
        m->backoff_ms = BACKOFF_LAST_MS;
    m->not_before_ms = world_mono_ms() + m->backoff_ms;
    log_warn("token.module.restart", log_num("next_not_before_ms", m->backoff_ms));
    (void)MODULE_CALL(m, C_Finalize, NULL);
    TRY(start(m));
    m->epoch++;
out:
    return e;
}

void module_well(struct module *m)
{
    m->backoff_ms = 0;
}
