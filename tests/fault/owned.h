/*
 * An owned peer of a real vault: what the code of an attacker in front or responder could send, over raw
 * frames. An attack is aimed (everything up to the last frame is allowed) and fired. Each is tried with all
 * checks on: refused, nothing signed, nothing rolled; then with each of its checks alone: refused by that
 * one; then without them: sealed. So each check is seen to hold by itself, and the test is seen to notice.
 */
#ifndef CHANCERY_TESTS_OWNED_H
#define CHANCERY_TESTS_OWNED_H

#include "../unit/hsm/vault_scene.h"
#include "p11wrap.h"
#include "world_test.h"

struct owned {
    struct vault_scene *s;
    struct world_page *page;
    struct p11wrap_page *token;
    int front, responder; /* channels; -1: none */
    uint64_t list_number; /* the last one used */
    int64_t ready_s;      /* how long ready answers live */
    unsigned rogues;      /* keys made so far */
};

/* The last frame. */
struct owned_shot {
    int fd;
    enum frames_kind kind;
    struct view body;
    int with_fd; /* -1: none; closed after it */
    void (*undo)(struct owned *o);
};

enum { OWNED_WITH_ACT = 2 };
struct owned_attack {
    const char *what;
    enum hsm_peer peer;
    void (*aim)(struct owned *o, const struct owned_attack *a, struct owned_shot *to);
    const char *checks[8]; /* rows of hsm/floors.def and templates/rules.def, each enough by itself */
    const void *how;       /* for aim */
    unsigned no_seal;      /* what goes through without the checks signs nothing; OWNED_WITH_ACT: has an act
                              in the roll before it */
};

extern const struct owned_attack owned_cert_attacks[], owned_list_attacks[], owned_ocsp_attacks[],
    owned_nonce_attacks[], owned_peer_attacks[], owned_act_attacks[], owned_head_attacks[],
    owned_proof_attacks[]; /* end with what == NULL */

/* All that is said above; fails the test where it does not hold. */
void owned_try(struct owned *o, const struct owned_attack *a);
/* Fires once as things stand. ERR__COUNT where it went through. */
struct owned_shown {
    enum err_code code;
    uint64_t rolled, signed_;
};
struct owned_shown owned_fire(struct owned *o, const struct owned_attack *a);

/* Fires it `times` times with a few octets of the body changed, never the same way twice: whatever comes of
 * it, the vault lives and signs no more than it rolls. */
void owned_noise(struct owned *o, const struct owned_attack *a, int times);

/* Switches a check off; the rule's place. */
int owned_off(struct owned *o, const char *check);

/* A body of texts and octets; a request; a lease. */
struct view owned_body(struct owned *o, const char *const *texts, const struct view *octets, size_t n);
void owned_front_anew(struct owned *o); /* a fresh channel: leases of the old one are void */

struct view owned_vault_id(struct owned *o); /* of its roll, as acts name it */

/* Certificates, for other files: a whole tbs by a template, its serial leased from the issuer. */
struct cert_tbs owned_tbs(struct owned *o, const char *template, const char *issuer);
void owned_put_key(struct owned *o, struct cert_tbs *tbs, struct view spki); /* with its key identifier */
/* The newest responder key of the issuer. */
struct cert_key owned_responder_key(struct owned *o, const char *issuer);

#endif
