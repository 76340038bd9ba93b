/* See vault_scene.h. */
#include "vault_scene.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act_scene.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/world.h"
#include "cert/seal.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define BASE   "http://pki.example.internal"

/* --- folder, configuration --- */

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int pin_file(struct vault_scene *s, const char *name, const char *pin)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    put_file(path, pin);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void make_folder(struct vault_scene *s)
{
    memcpy(s->dir, "/tmp/vault-XXXXXX", 18);
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->tokens, sizeof s->tokens, "%s/tokens", s->dir);
    snprintf(s->roll, sizeof s->roll, "%s/roll", s->dir);
    snprintf(s->pin, sizeof s->pin, "%s/softhsm2.conf", s->dir);
    snprintf(s->pin_state, sizeof s->pin_state, "%s/refused", s->dir);
    snprintf(s->lock, sizeof s->lock, "%s/lock", s->dir);
    snprintf(s->env_text, sizeof s->env_text, "SOFTHSM2_CONF=%s", s->pin);
    assert_int_equal(mkdir(s->tokens, 0700), 0);
    assert_int_equal(mkdir(s->roll, 0700), 0);
    put_file(s->pin,
             arena_printf(s->arena,
                          "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
                          s->tokens));
    s->env[0] = s->env_text;
    s->pin_fd = pin_file(s, "pin", "4711\n");
    s->so_pin_fd = pin_file(s, "so-pin", "so-pin-0815\n");
}

static void make_config(struct vault_scene *s)
{
    static const char *const self_names[] = {VAULT_SELF};
    uint8_t hash[SHA256_BYTES];
    digest_sha256(shape_spki(s->arena), hash);
    s->roster = arena_printf(s->arena,
                             "quorum: 1\napprovals: {thaw: 2}\nroster:\n%s"
                             "  - {name: a, role: admin, spki_sha256: \"%s\"}\n",
                             act_scene_entries(s->arena), hex_of(s->arena, view_of(hash, sizeof hash)));
    s->setup = (struct hsm_vault_setup){.module = MODULE,
                                        .env = s->env,
                                        .token_uri = "pkcs11:token=vault-test",
                                        .pin_fd = s->pin_fd,
                                        .pin_state_path = s->pin_state,
                                        .lock_path = s->lock,
                                        .sync_path = s->tokens,
                                        .roll_dir = s->roll,
                                        .threads = 2,
                                        .make_label = "vault-test",
                                        .make_so_pin_fd = s->so_pin_fd};
    s->config = (struct hsm_vault_config){.generation = 1,
                                          .base_url = BASE,
                                          .self_names = self_names,
                                          .n_self_names = 1,
                                          .roster_yaml = view_str(s->roster)};
}

/* --- the ceremony --- */

struct child {
    struct vault_scene *s;
    int fd;
    struct err *e;
};

static void *run_child(void *arg)
{
    struct child *c = arg;
    struct templates *templates = shape_templates();
    c->e = hsm_vault_run_init(&c->s->setup, &c->s->config, &templates, c->fd);
    templates_free(templates);
    return NULL;
}

static struct view ceremony_ca(struct vault_scene *s, struct hsm_ceremony *c,
                               const struct templates_issuer *signer, const char *name, const char *template,
                               const char *cn, struct view spki)
{
    uint8_t serial[SERIAL_BYTES];
    uint64_t n;
    struct view signature, der;
    good(hsm_ceremony_serial(c, signer->name, serial));
    struct cert_tbs tbs = shape_tbs(&(struct shape_ask){.templates = s->templates,
                                                        .template = template,
                                                        .issuer = signer,
                                                        .spki = spki,
                                                        .serial = view_of(serial, sizeof serial),
                                                        .cn = cn,
                                                        .now = world_now_s()},
                                    s->arena);
    struct view bytes = shape_bytes(&tbs, s->arena);
    good(hsm_ceremony_seal_ca(c, signer->name, name, template, bytes, s->arena, &n, &signature));
    good(cert_seal(bytes, tbs.alg, signature, s->arena, &der));
    return der;
}

static void ceremony(struct vault_scene *s, struct hsm_ceremony *c)
{
    struct view root_spki, issuing_spki, again;
    good(hsm_ceremony_key_generate(c, "root", "ec-p256", false, s->arena, &root_spki));
    good(hsm_ceremony_key_generate(c, "issuing", "ec-p256", false, s->arena, &issuing_spki));
    assert_int_equal(code_of(hsm_ceremony_key_generate(c, "root", "ec-p256", false, s->arena, &again)),
                     ERR_WRONG_STATE);
    good(hsm_ceremony_key_generate(c, "root", "ec-p256", true, s->arena, &again));
    assert_true(view_eq(again, root_spki));
    struct templates_issuer root =
        shape_root("root", "Vault Root", root_spki, CERT_ALG_ECDSA_SHA256, s->arena);
    s->issuers[0] =
        (struct hsm_issuer_setup){"root",
                                  "pkcs11:object=root",
                                  ceremony_ca(s, c, &root, "root", "root", "Vault Root", root_spki),
                                  CERT_ALG_ECDSA_SHA256,
                                  false,
                                  false,
                                  false};
    root.not_before = world_now_s() - 3600;
    root.not_after = world_now_s() + INT64_C(19) * 365 * 86400;
    s->issuers[1] = (struct hsm_issuer_setup){
        "issuing",
        "pkcs11:object=issuing",
        ceremony_ca(s, c, &root, "issuing", "sub-ca", "Vault Issuing", issuing_spki),
        CERT_ALG_ECDSA_SHA256,
        true,
        true,
        false};
}

static void run_ceremony(struct vault_scene *s)
{
    int pair[2];
    pthread_t thread;
    struct hsm_ceremony *c = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct child child = {.s = s, .fd = pair[1]};
    assert_int_equal(pthread_create(&thread, NULL, run_child, &child), 0);
    struct err *e = hsm_ceremony_new(pair[0], 1, &c);
    if (!e)
        ceremony(s, c);
    hsm_ceremony_free(c);
    pthread_join(thread, NULL);
    good(child.e);
    good(e);
}

static void front_knowledge(struct vault_scene *s)
{
    struct templates *templates = s->templates;
    s->config.issuers = s->issuers;
    s->config.n_issuers = 2;
    good(house_new(&s->config, &templates, &s->house));
    s->root = house_issuer(s->house, view_str("root"));
    s->issuing = house_issuer(s->house, view_str("issuing"));
}

/* --- the thread --- */

static void *run_vault(void *arg)
{
    struct vault_scene *s = arg;
    loop_run(s->loop);
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

void vault_scene_run(struct vault_scene *s, void (*fn)(void *arg), void *arg)
{
    struct task t = {.fn = fn, .arg = arg};
    sem_init(&t.done, 0, 0);
    loop_post(s->loop, task_run, &t);
    sem_wait(&t.done);
    sem_destroy(&t.done);
}

static void open_vault(void *arg)
{
    struct vault_scene *s = arg;
    struct templates *templates = shape_templates();
    s->e = hsm_vault_open(s->loop, &s->setup, &s->config, &templates, &s->v);
    templates_free(templates);
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

static void close_vault(void *arg)
{
    struct vault_scene *s = arg;
    hsm_vault_free(s->v);
    s->v = NULL;
    loop_post(s->loop, stop_loop, s->loop); /* after what closing has posted */
}

void vault_scene_stop(struct vault_scene *s)
{
    if (!s->loop)
        return;
    loop_post(s->loop, close_vault, s);
    pthread_join(s->thread, NULL);
    loop_free(s->loop);
    s->loop = NULL;
}

struct err *vault_scene_start(struct vault_scene *s)
{
    good(loop_new(&s->loop));
    assert_int_equal(pthread_create(&s->thread, NULL, run_vault, s), 0);
    vault_scene_run(s, open_vault, s);
    struct err *e = s->e;
    s->e = NULL;
    if (e)
        vault_scene_stop(s);
    return e;
}

int vault_scene_setup(void **state)
{
    struct vault_scene *s = calloc(1, sizeof *s);
    s->arena = arena_new((size_t)1 << 30);
    s->templates = shape_templates();
    s->next_id = 1;
    make_folder(s);
    make_config(s);
    run_ceremony(s);
    s->setup.make_label = NULL;
    front_knowledge(s);
    good(vault_scene_start(s));
    *state = s;
    return 0;
}

int vault_scene_teardown(void **state)
{
    struct vault_scene *s = *state;
    char command[64];
    vault_scene_stop(s);
    close(s->pin_fd);
    close(s->so_pin_fd);
    snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
    assert_int_equal(system(command), 0);
    house_unref(s->house);
    arena_free(s->arena);
    free(s);
    return 0;
}

/* --- peers --- */

struct attaching {
    struct vault_scene *s;
    enum hsm_peer peer;
    int fd;
};

static void attach(void *arg)
{
    struct attaching *a = arg;
    hsm_vault_attach(a->s->v, a->peer, a->fd);
}

int vault_scene_connect(struct vault_scene *s, enum hsm_peer peer)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct attaching a = {s, peer, pair[1]};
    vault_scene_run(s, attach, &a);
    return pair[0];
}

int vault_scene_attach(struct vault_scene *s, enum hsm_peer peer, uint64_t *ret_n)
{
    struct frame f;
    struct view body;
    uint64_t generation, n;
    int fd = vault_scene_connect(s, peer);
    good(frame_read(fd, s->arena, &f));
    assert_int_equal(f.kind, FRAMES_DRAINED);
    good(der_read(&f.body, DER_SEQUENCE, &body));
    good(der_read_uint(&body, UINT32_MAX, &generation));
    good(der_read_uint(&body, UINT64_MAX, &n));
    if (ret_n)
        *ret_n = n;
    return fd;
}

uint64_t vault_scene_send(struct vault_scene *s, int fd, enum frames_kind kind, struct view body, int with_fd)
{
    struct frame f = {.kind = (uint16_t)kind,
                      .generation = s->config.generation,
                      .id = s->next_id++,
                      .body = body,
                      .fd = with_fd};
    err_free(frame_write(fd, &f)); /* a peer that closed shows when the answer is read */
    return f.id;
}

struct err *vault_scene_receive(struct vault_scene *s, int fd, uint64_t *ret_id, struct view *ret)
{
    struct frame f;
    struct err *e = frame_read(fd, s->arena, &f);
    if (e)
        return e;
    *ret_id = f.id;
    if (f.kind == FRAMES_REFUSED)
        return frames_read_refused(f.body, s->arena);
    assert_int_equal(f.kind, FRAMES_RESULT);
    *ret = f.body;
    return NULL;
}

struct err *vault_scene_ask(struct vault_scene *s, int fd, enum frames_kind kind, struct view body,
                            int with_fd, struct view *ret)
{
    struct view ignored;
    uint64_t answered = 0, id = vault_scene_send(s, fd, kind, body, with_fd);
    struct err *e = vault_scene_receive(s, fd, &answered, ret ? ret : &ignored);
    if (answered)
        assert_int_equal(answered, id);
    return e;
}

struct view vault_scene_seq(struct vault_scene *s, const char *const *texts, const struct view *octets,
                            size_t n_octets)
{
    struct der_out out;
    struct view ret;
    der_out_init(&out, s->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; texts && texts[i]; i++)
        der_put_text(&out, texts[i]);
    for (size_t i = 0; i < n_octets; i++)
        der_put_octets(&out, octets[i]);
    der_finish(&out, m);
    good(der_out_done(&out, &ret));
    return ret;
}

void vault_scene_lease(struct vault_scene *s, int fd, const char *issuer, uint8_t ret[SERIAL_BYTES])
{
    struct der_out out;
    struct view body, list, one;
    der_out_init(&out, s->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_uint(&out, 1);
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    good(vault_scene_ask(s, fd, FRAMES_LEASE, body, -1, &list));
    good(der_read(&list, DER_SEQUENCE, &one));
    good(frames_read_octets(one, &one));
    assert_int_equal(one.n, SERIAL_BYTES);
    memcpy(ret, one.p, SERIAL_BYTES);
}

struct cert_tbs vault_scene_tbs(struct vault_scene *s, const uint8_t serial[SERIAL_BYTES])
{
    return shape_tbs(&(struct shape_ask){.templates = s->templates,
                                         .template = "server",
                                         .issuer = &s->issuing->facts,
                                         .spki = shape_spki(s->arena),
                                         .serial = view_of(serial, SERIAL_BYTES),
                                         .san = "dns:a.example.internal",
                                         .now = world_now_s()},
                     s->arena);
}

struct view vault_scene_cert_body(struct vault_scene *s, const char *issuer, const char *template,
                                  struct view tbs)
{
    return vault_scene_seq(s, (const char *const[]){issuer, template, NULL}, &tbs, 1);
}

struct err *vault_scene_seal(struct vault_scene *s, int fd, struct view *ret_tbs, uint64_t *ret_n,
                             struct view *ret_signature)
{
    uint8_t serial[SERIAL_BYTES];
    struct view body;
    vault_scene_lease(s, fd, "issuing", serial);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    *ret_tbs = shape_bytes(&tbs, s->arena);
    struct err *e = vault_scene_ask(s, fd, FRAMES_SEAL_CERT,
                                    vault_scene_cert_body(s, "issuing", "server", *ret_tbs), -1, &body);
    return e ? e : frames_read_sealed(body, ret_n, ret_signature);
}

uint64_t vault_scene_roll_count(struct vault_scene *s)
{
    char path[96];
    struct view file;
    uint64_t n;
    snprintf(path, sizeof path, "%s/%s", s->roll, HSM_ROLL_FILE);
    good(file_read(path, 64 << 20, s->arena, &file));
    good(hsm_roll_verify(file, NULL, NULL, &n, NULL));
    return n;
}
