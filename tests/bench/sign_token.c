/*
 * Makes the bench's token through the rooms' own calls: module, token, key pairs. Never touches another
 * token: SoftHSM gets a configuration of its own. One thread.
 */
#include "sign_token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pace.h"
#include "token_make.h"

#define PIN "271828"

const char *const sign_kind_name[SIGN_KINDS] = {[SIGN_P256] = "p256", [SIGN_RSA2048] = "rsa2048"};

void sign_must(struct err *e)
{
    if (e)
        pace_die("%s: %s", err_row(err_code(e))->name, err_detail(e));
}

static void write_conf(const char *path, const char *objects)
{
    FILE *f = fopen(path, "w");

    if (!f)
        pace_die("%s: %s", path, strerror(errno));
    fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", objects);
    if (fclose(f) != 0)
        pace_die("%s: %s", path, strerror(errno));
}

static void make(struct module *module, const char *objects)
{
    struct token_make_spec spec = {.label = "bench", .sync_path = objects};
    struct secret *so_pin = NULL, *pin = NULL;

    sign_must(secret_of(view_str("bench-so-pin"), &so_pin));
    sign_must(secret_of(view_str(PIN), &pin));
    spec.so_pin = so_pin;
    spec.pin = pin;
    sign_must(token_make(module, &spec));
    secret_free(so_pin);
    secret_free(pin);
}

static void make_keys(struct sign_token *t, bool p256_only)
{
    struct keygen_spec p256 = {.label = sign_kind_name[SIGN_P256], .kind = CERT_KEY_P256};
    struct keygen_spec rsa = {.label = sign_kind_name[SIGN_RSA2048], .kind = CERT_KEY_RSA, .bits = 2048};

    sign_must(keygen_pair(t->token, &p256, &t->key[SIGN_P256]));
    if (p256_only)
        return;
    sign_must(keygen_pair(t->token, &rsa, &t->key[SIGN_RSA2048]));
}

void sign_token_open(struct sign_token *t, const char *module_path, const char *dir, bool p256_only)
{
    char objects[4096], conf[4096], env[4200];
    const char *const envs[] = {env, NULL};
    struct module_config config = {.path = module_path, .env = envs};
    struct token_options options = {.uri = "pkcs11:token=bench"};
    struct pin *pin = NULL;

    snprintf(objects, sizeof objects, "%s/objects", dir);
    snprintf(conf, sizeof conf, "%s/softhsm2.conf", dir);
    snprintf(env, sizeof env, "SOFTHSM2_CONF=%s", conf);
    if (mkdir(objects, 0700) != 0)
        pace_die("%s: %s", objects, strerror(errno));
    write_conf(conf, objects);
    sign_must(module_open(&config, &t->module));
    make(t->module, objects);
    sign_must(pin_of(view_str(PIN), NULL, &pin));
    sign_must(token_open(t->module, &options, &pin, &t->token));
    make_keys(t, p256_only);
}

void sign_token_close(struct sign_token *t)
{
    token_close(t->token);
    module_close(t->module);
}
