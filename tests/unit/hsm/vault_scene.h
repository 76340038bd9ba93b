/*
 * A real vault on a thread of its own, with a real SoftHSM token that a real ceremony filled: root and
 * issuing CA. The tests play its peers, over raw frames or through the client.
 */
#ifndef CHANCERY_TESTS_HSM_VAULT_SCENE_H
#define CHANCERY_TESTS_HSM_VAULT_SCENE_H

#include <pthread.h>

#include "frames.h"
#include "hsm_ceremony.h"
#include "shape_scene.h"
#include "token_scene.h"
#include "vault.h"

#define VAULT_SELF "dns:ca.example.internal"

struct vault_scene {
    char dir[32], tokens[64], roll[64], pin[64], pin_state[64], lock[64], env_text[96], uri[32];
    const char *env[2];
    int pin_fd, so_pin_fd;
    struct arena *arena;
    struct hsm_vault_setup setup;
    struct hsm_issuer_setup issuers[2]; /* root, issuing */
    struct hsm_vault_config config;
    const char *roster;
    /* the front's knowledge */
    struct templates *templates;
    struct house *house;
    struct house_issuer *root, *issuing;
    /* the vault's thread */
    pthread_t thread;
    struct loop *loop;
    struct hsm_vault *v;
    struct err *e;
    uint64_t next_id;
};

int vault_scene_setup(void **state); /* ceremony done, vault running */
int vault_scene_teardown(void **state);
/* Opens the vault on its thread: what hsm_vault_open says; running where NULL. */
struct err *vault_scene_start(struct vault_scene *s);
void vault_scene_stop(struct vault_scene *s);
/* Runs fn on the vault's thread and waits. */
void vault_scene_run(struct vault_scene *s, void (*fn)(void *arg), void *arg);

/* A fresh channel, DRAINED not read yet. */
int vault_scene_connect(struct vault_scene *s, enum hsm_peer peer);
/* The same, DRAINED read: the blocking end. *ret_n: the roll's last number (may be NULL). */
int vault_scene_attach(struct vault_scene *s, enum hsm_peer peer, uint64_t *ret_n);

/* Sends; the answer's body, or the refusal as the error. ERR_CANCELLED: the vault closed the channel. */
struct err *vault_scene_ask(struct vault_scene *s, int fd, enum frames_kind kind, struct view body,
                            int with_fd, struct view *ret);
uint64_t vault_scene_send(struct vault_scene *s, int fd, enum frames_kind kind, struct view body,
                          int with_fd);
struct err *vault_scene_receive(struct vault_scene *s, int fd, uint64_t *ret_id, struct view *ret);

/* Bodies. */
struct view vault_scene_seq(struct vault_scene *s, const char *const *texts, const struct view *octets,
                            size_t n_octets);
void vault_scene_lease(struct vault_scene *s, int fd, const char *issuer, uint8_t ret[SERIAL_BYTES]);
/* A tbs of template server by issuing under this serial, whole and right. */
struct cert_tbs vault_scene_tbs(struct vault_scene *s, const uint8_t serial[SERIAL_BYTES]);
struct view vault_scene_cert_body(struct vault_scene *s, const char *issuer, const char *template,
                                  struct view tbs);
/* Leases, shapes, seals; what comes of it. */
struct err *vault_scene_seal(struct vault_scene *s, int fd, struct view *ret_tbs, uint64_t *ret_n,
                             struct view *ret_signature);

/* Entries of the roll file as it stands; fails the test where the chain is broken. */
uint64_t vault_scene_roll_count(struct vault_scene *s);

#endif
