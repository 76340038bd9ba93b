/* The vault's half of house_scene.h: token, ceremony, the vault on its thread. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "base/world.h"
#include "cert/csr.h"
#include "cert/name.h"
#include "cert/tbs.h"
#include "house_scene.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define BASE   "http://pki.example.internal"

struct house_vault {
    struct house *h;
    char paths[6][96]; /* tokens, roll, conf, state, lock, pin files */
    char env_text[128];
    const char *env[2];
    int pin_fd, so_pin_fd;
    const char *roster;
    struct hsm_vault_setup setup;
    struct hsm_issuer_setup issuers[3];
    struct hsm_vault_config config;
    pthread_t thread;
    struct loop *loop;
    struct hsm_vault *v;
    struct err *e;
    sem_t held, go;
    int next_fd; /* attached when the thread goes on, before it reads anything; -1: none */
};

enum { AT_TOKENS, AT_ROLL, AT_CONF, AT_STATE, AT_LOCK, AT_PIN };

static int put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void make_folder(struct house_vault *v)
{
    static const char *const names[] = {"tokens", "roll", "softhsm2.conf", "refused", "lock", "pin"};
    struct arena *a = v->h->arena;
    for (int i = AT_TOKENS; i <= AT_PIN; i++)
        snprintf(v->paths[i], sizeof v->paths[i], "%s/%s", v->h->dir, names[i]);
    snprintf(v->env_text, sizeof v->env_text, "SOFTHSM2_CONF=%s", v->paths[AT_CONF]);
    v->env[0] = v->env_text;
    assert_int_equal(mkdir(v->paths[AT_TOKENS], 0700), 0);
    assert_int_equal(mkdir(v->paths[AT_ROLL], 0700), 0);
    close(
        put_file(v->paths[AT_CONF],
                 arena_printf(a, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
                              v->paths[AT_TOKENS])));
    v->pin_fd = put_file(v->paths[AT_PIN], "4711\n");
    v->so_pin_fd = put_file(arena_printf(a, "%s/so-pin", v->h->dir), "so-pin-0815\n");
}

static struct view spki_of(EVP_PKEY *key, struct arena *arena)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    struct view ret = arena_dup(arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    return ret;
}

static void make_config(struct house_vault *v)
{
    static const char *const self_names[] = {HOUSE_SELF};
    uint8_t hash[SHA256_BYTES];
    struct arena *a = v->h->arena;
    v->h->admin = EVP_EC_gen("P-256");
    digest_sha256(spki_of(v->h->admin, a), hash);
    v->roster = arena_printf(a, "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n",
                             hex_of(a, view_of(hash, sizeof hash)));
    OK(hsm_roster_parse("roster.yaml", view_str(v->roster), &v->h->roster));
    v->setup = (struct hsm_vault_setup){.module = MODULE,
                                        .env = v->env,
                                        .token_uri = "pkcs11:token=house",
                                        .pin_fd = v->pin_fd,
                                        .pin_state_path = v->paths[AT_STATE],
                                        .lock_path = v->paths[AT_LOCK],
                                        .sync_path = v->paths[AT_TOKENS],
                                        .roll_dir = v->paths[AT_ROLL],
                                        .threads = 2,
                                        .make_label = "house",
                                        .make_so_pin_fd = v->so_pin_fd};
    v->config = (struct hsm_vault_config){.generation = 1,
                                          .base_url = BASE,
                                          .self_names = self_names,
                                          .n_self_names = 1,
                                          .roster_yaml = view_str(v->roster)};
}

/* --- the ceremony --- */

/* For the tests of limits: a server's template each, with one of them. */
#define LIMITED(limits)                                                                                      \
    "validity: {default: 90d, max: 398d}\nsubject: {allow: [CN]}\nsans: {kinds: [dns]}\n"                    \
    "key_usage: {usages: [digitalSignature]}\nextended_key_usage: {usages: [serverAuth]}\n"                  \
    "limits: {" limits "}\n"

static const struct {
    const char *name, *text;
} limited[] = {
    {"per-asker.yaml", LIMITED("per_asker: 2/1h")},
    {"per-template.yaml", LIMITED("per_template: 2/1h")},
    {"per-name.yaml", LIMITED("per_name: 2/7d")},
    {"keys-once.yaml", LIMITED("keys: once")},
    {"keys-renewal.yaml", LIMITED("keys: renewal")},
    {"renew-within.yaml", LIMITED("renew_within: 30d")},
    {"fleet.yaml",
     "validity: {default: 90d, max: 398d}\nsubject: {allow: [CN], cn: free}\nsans: {kinds: [dns]}\n"
     "key_usage: {usages: [digitalSignature]}\nextended_key_usage: {usages: [clientAuth]}\n"
     "limits: {renew_within: 30d, renew_grace: 10d}\n"},
    {"approved.yaml", LIMITED("per_asker: 3/1h}\napproval: {needed: 1")},
};

static struct templates *all_templates(void)
{
    struct templates_file files[48];
    struct templates *set = NULL;
    size_t n = 0;
    while (n < 31 && templates_builtin(n, &files[n].name, &files[n].bytes))
        n++;
    for (size_t i = 0; templates_aws(i, &files[n].name, &files[n].bytes); i++)
        if (strstr(files[n].name, "criticalbasicconstraints-apicsrpassthrough"))
            break;
    n++;
    for (size_t i = 0; i < sizeof limited / sizeof limited[0]; i++)
        files[n++] = (struct templates_file){limited[i].name, view_str(limited[i].text)};
    OK(templates_load(files, n, &set));
    return set;
}

struct child {
    struct house_vault *v;
    int fd;
    struct err *e;
};

static void *run_init(void *arg)
{
    struct child *c = arg;
    struct templates *templates = all_templates();
    c->e = hsm_vault_run_init(&c->v->setup, &c->v->config, &templates, c->fd);
    templates_free(templates);
    return NULL;
}

static struct view make_ca(struct house *h, struct hsm_ceremony *c, const struct templates_issuer *signer,
                           const char *name, const char *template, const char *cn, struct view spki)
{
    uint8_t serial[SERIAL_BYTES];
    uint64_t n;
    struct view tbs, signature, der;
    struct templates_shaped shaped;
    const struct templates_rdn subject = {"CN", cn};
    OK(hsm_ceremony_serial(c, signer->name, serial));
    const struct templates_request request = {.spki = spki,
                                              .serial = view_of(serial, sizeof serial),
                                              .now = world_now_s(),
                                              .has_subject = true,
                                              .subject = &subject,
                                              .subject_n = 1};
    OK(templates_shape(templates_find(h->templates, view_str(template)), &request, signer, h->arena,
                       &shaped));
    OK(cert_tbs_write(shaped.tbs, h->arena, &tbs));
    OK(hsm_ceremony_seal_ca(c, signer->name, name, template, tbs, h->arena, &n, &signature));
    OK(cert_seal(tbs, CERT_ALG_ECDSA_SHA256, signature, h->arena, &der));
    return der;
}

static void ceremony(struct house_vault *v, struct hsm_ceremony *c)
{
    struct house *h = v->h;
    struct view root_spki, issuing_spki, second_spki;
    struct cert_key key;
    const struct cert_name_part part = {"CN", "House Root"};
    uint8_t *id = arena_alloc(h->arena, SHA1_BYTES);
    struct templates_issuer root = {
        .name = "root", .alg = CERT_ALG_ECDSA_SHA256, .not_after = INT64_MAX, .base_url = BASE};
    OK(hsm_ceremony_key_generate(c, "root", "ec-p256", false, h->arena, &root_spki));
    OK(hsm_ceremony_key_generate(c, "issuing", "ec-p256", false, h->arena, &issuing_spki));
    OK(hsm_ceremony_key_generate(c, "second", "ec-p256", false, h->arena, &second_spki));
    OK(cert_name_write(&part, 1, h->arena, &root.subject));
    OK(cert_key_parse(root_spki, &key));
    cert_key_sha1(&key, id);
    root.key_id = view_of(id, SHA1_BYTES);
    h->root = make_ca(h, c, &root, "root", "root", "House Root", root_spki);
    root.not_before = world_now_s() - 3600;
    root.not_after = world_now_s() + INT64_C(19) * 365 * 86400;
    h->issuing = make_ca(h, c, &root, "issuing", "sub-ca", "House Issuing", issuing_spki);
    h->second = make_ca(h, c, &root, "second", "sub-ca", "House Issuing 2", second_spki);
}

static void run_ceremony(struct house_vault *v)
{
    int pair[2];
    pthread_t thread;
    struct hsm_ceremony *c = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct child child = {.v = v, .fd = pair[1]};
    assert_int_equal(pthread_create(&thread, NULL, run_init, &child), 0);
    struct err *e = hsm_ceremony_new(pair[0], 1, &c);
    if (!e)
        ceremony(v, c);
    hsm_ceremony_free(c);
    pthread_join(thread, NULL);
    OK(child.e);
    OK(e);
    v->setup.make_label = NULL;
    v->issuers[0] = (struct hsm_issuer_setup){
        "root", "pkcs11:object=root", v->h->root, CERT_ALG_ECDSA_SHA256, false, false, false};
    v->issuers[1] = (struct hsm_issuer_setup){
        "issuing", "pkcs11:object=issuing", v->h->issuing, CERT_ALG_ECDSA_SHA256, true, true, false};
    v->issuers[2] = (struct hsm_issuer_setup){
        "second", "pkcs11:object=second", v->h->second, CERT_ALG_ECDSA_SHA256, true, true, false};
    v->config.issuers = v->issuers;
    v->config.n_issuers = 3;
}

/* --- the thread --- */

static void *run_vault(void *arg)
{
    struct house_vault *v = arg;
    loop_run(v->loop);
    return NULL;
}

struct task {
    void (*fn)(void *arg);
    void *arg;
    sem_t done;
};

static void task_run(void *arg)
{
    struct task *t = arg;
    t->fn(t->arg);
    sem_post(&t->done);
}

static void on_thread(struct house_vault *v, void (*fn)(void *arg), void *arg)
{
    struct task t = {.fn = fn, .arg = arg};
    sem_init(&t.done, 0, 0);
    loop_post(v->loop, task_run, &t);
    sem_wait(&t.done);
    sem_destroy(&t.done);
}

static void open_vault(void *arg)
{
    struct house_vault *v = arg;
    struct templates *templates = all_templates();
    v->e = hsm_vault_open(v->loop, &v->setup, &v->config, &templates, &v->v);
    templates_free(templates);
}

struct house_vault *house_vault_start(struct house *h)
{
    struct house_vault *v = calloc(1, sizeof *v);
    assert_non_null(v);
    v->h = h;
    v->next_fd = -1;
    h->templates = all_templates();
    make_folder(v);
    make_config(v);
    run_ceremony(v);
    sem_init(&v->held, 0, 0);
    sem_init(&v->go, 0, 0);
    OK(loop_new(&v->loop));
    assert_int_equal(pthread_create(&v->thread, NULL, run_vault, v), 0);
    on_thread(v, open_vault, v);
    OK(v->e);
    return v;
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

static void close_vault(void *arg)
{
    struct house_vault *v = arg;
    hsm_vault_free(v->v);
    loop_post(v->loop, stop_loop, v->loop); /* after what closing has posted */
}

void house_vault_stop(struct house_vault *v)
{
    loop_post(v->loop, close_vault, v);
    pthread_join(v->thread, NULL);
    loop_free(v->loop);
    close(v->pin_fd);
    close(v->so_pin_fd);
    hsm_roster_free(v->h->roster);
    EVP_PKEY_free(v->h->admin);
    sem_destroy(&v->held);
    sem_destroy(&v->go);
    free(v);
}

struct attaching {
    struct house_vault *v;
    enum hsm_peer peer;
    int fd;
};

static void attach(void *arg)
{
    struct attaching *a = arg;
    hsm_vault_attach(a->v->v, a->peer, a->fd);
}

int house_vault_connect(struct house_vault *v, enum hsm_peer peer)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct attaching a = {v, peer, pair[1]};
    on_thread(v, attach, &a);
    return pair[0];
}

static void hold(void *arg)
{
    struct house_vault *v = arg;
    sem_post(&v->held);
    sem_wait(&v->go);
    if (v->next_fd >= 0)
        hsm_vault_attach(v->v, HSM_PEER_FRONT, v->next_fd);
    v->next_fd = -1;
}

void house_vault_hold(struct house_vault *v)
{
    loop_post(v->loop, hold, v);
    sem_wait(&v->held);
}

void house_vault_release(struct house_vault *v)
{
    sem_post(&v->go);
}

int house_vault_release_with(struct house_vault *v)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    v->next_fd = pair[1];
    sem_post(&v->go);
    return pair[0];
}
