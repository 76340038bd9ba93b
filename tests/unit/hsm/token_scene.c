/* Makes and clears away the token of token_scene.h. */
#include "token_scene.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "token_make.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

void good(struct err *e)
{
    if (e)
        fail_msg("%s: %s", err_row(err_code(e))->name, err_detail(e));
}

enum err_code code_of(struct err *e)
{
    enum err_code code = e ? err_code(e) : ERR__COUNT;

    err_free(e);
    return code;
}

static void put_conf(struct token_scene *s)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof path, "%s/softhsm2.conf", s->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", s->tokens);
    fclose(f);
    snprintf(s->conf_env, sizeof s->conf_env, "SOFTHSM2_CONF=%s", path);
}

void token_scene_load(struct token_scene *s)
{
    const char *const env[] = {s->conf_env, NULL};
    struct module_config config = {.path = MODULE, .env = env};

    good(module_open(&config, &s->m));
}

struct err *token_scene_open(struct token_scene *s, const char *pin)
{
    struct token_options options = {
        .uri = SCENE_URI, .lock_path = s->lock, .lock_hint = "stop it", .sync_path = s->tokens};
    struct pin *p = NULL;

    good(pin_of(view_str(pin), s->pin_state, &p));
    return token_open(s->m, &options, &p, &s->t);
}

void token_scene_close(struct token_scene *s)
{
    token_close(s->t);
    s->t = NULL;
    module_close(s->m);
    s->m = NULL;
}

static void make(struct token_scene *s)
{
    struct token_make_spec spec = {.label = "test", .sync_path = s->tokens};
    struct secret *so_pin = NULL, *pin = NULL;

    good(secret_of(view_str("so-pin-0815"), &so_pin));
    good(secret_of(view_str(SCENE_PIN), &pin));
    spec.so_pin = so_pin;
    spec.pin = pin;
    good(token_make(s->m, &spec));
    secret_free(so_pin);
    secret_free(pin);
}

int token_scene_setup(void **state)
{
    struct token_scene *s = calloc(1, sizeof *s);

    *state = s;
    memcpy(s->dir, "/tmp/hsm-XXXXXX", 16);
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->tokens, sizeof s->tokens, "%s/tokens", s->dir);
    snprintf(s->pin_state, sizeof s->pin_state, "%s/refused", s->dir);
    snprintf(s->lock, sizeof s->lock, "%s/lock", s->dir);
    assert_int_equal(mkdir(s->tokens, 0700), 0);
    put_conf(s);
    token_scene_load(s);
    make(s);
    good(token_scene_open(s, SCENE_PIN));
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL) {
        char below[512];

        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, d->d_name);
        remove_tree(below);
    }
    if (dir)
        closedir(dir);
    (void)remove(path);
}

int token_scene_teardown(void **state)
{
    struct token_scene *s = *state;

    token_scene_close(s);
    remove_tree(s->dir);
    free(s);
    return 0;
}

const struct token_key *token_scene_key(struct token_scene *s, enum cert_key_kind kind, unsigned bits)
{
    char label[32];
    struct keygen_spec spec = {.label = label, .kind = kind, .bits = bits};
    const struct token_key *key = NULL;

    snprintf(label, sizeof label, "%s-%u", cert_key_kind_name(kind), bits);
    good(keygen_pair(s->t, &spec, &key));
    return key;
}
