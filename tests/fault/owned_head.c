/* What an owned front tries with SEAL_HEAD: it owns the ledger, and wants a head over another one, or over
 * less of it. Sizes are powers of two, so that the last root is a subtree of whatever goes on from it. */
#include <stdio.h>
#include <string.h>

#include "hsm_head.h"
#include "keygen.h"
#include "owned.h"

enum { LEAST = 1024 };

struct asked {
    struct hsm_head head;
    struct merkle_proof proof;
};

static struct hsm_head last(struct owned *o)
{
    struct hsm_head ret = {0};
    struct view answer, body, root;
    good(vault_scene_ask(o->s, o->front, FRAMES_LAST_HEAD, (struct view){NULL, 0}, -1, &answer));
    good(der_read(&answer, DER_SEQUENCE, &body));
    good(der_read_uint(&body, INT64_MAX, &ret.size));
    good(der_read(&body, DER_OCTET_STRING, &root));
    memcpy(ret.root, root.p, SHA256_BYTES);
    return ret;
}

static struct view body_of(struct owned *o, const struct asked *a)
{
    struct der_out out;
    struct view ret;
    der_out_init(&out, o->s->arena, 4096);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, a->head.size);
    der_put_octets(&out, view_of(a->head.root, SHA256_BYTES));
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < a->proof.n; i++)
        der_put_octets(&out, view_of(a->proof.at[i].b, SHA256_BYTES));
    der_finish(&out, list);
    der_finish(&out, m);
    good(der_out_done(&out, &ret));
    return ret;
}

/* Twice as many entries, as they should be. */
static struct asked twice(const struct hsm_head *from)
{
    struct asked a = {.head.size = from->size ? 2 * from->size : 1};
    a.proof.n = from->size ? 1 : 0;
    memset(a.proof.at[0].b, 0x17, SHA256_BYTES);
    memset(a.head.root, 0x29, SHA256_BYTES);
    if (from->size)
        merkle_node(from->root, a.proof.at[0].b, a.head.root);
    return a;
}

static void taken_back(struct asked *a)
{
    *a = (struct asked){.head.size = a->head.size / 4};
    memset(a->head.root, 0x33, SHA256_BYTES);
}

static void same_size_other_tree(struct asked *a)
{
    a->head.size /= 2;
    a->proof.n = 0;
}

static void without_proof(struct asked *a)
{
    a->proof.n = 0;
}

static void other_root(struct asked *a)
{
    a->head.root[5] ^= 1;
}

static void proof_of_another(struct asked *a)
{
    a->proof.at[0].b[9] ^= 1;
}

static void longer_proof(struct asked *a)
{
    a->proof.n = MERKLE_PROOF_MAX;
}

struct how {
    void (*change)(struct asked *a);
};

/* P-256, as where the token makes no Ed25519 keys: SoftHSM leaks with each signature of these. */
static void make_key(void *arg)
{
    const struct vault_scene *s = arg;
    const struct keygen_spec spec = {.label = HEAD_KEY_LABEL, .kind = CERT_KEY_P256};
    const struct token_key *key;
    err_free(keygen_pair(s->v->tokens[0].token, &spec, &key)); /* there already: of the attack before */
}

static void aim(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    const struct how *how = a->how;
    struct hsm_head head;
    vault_scene_run(o->s, make_key, o->s);
    good(vault_scene_ask(o->s, o->front, FRAMES_LOG_KEY, (struct view){NULL, 0}, -1, NULL));
    while ((head = last(o)).size < LEAST) {
        struct asked honest = twice(&head);
        good(vault_scene_ask(o->s, o->front, FRAMES_SEAL_HEAD, body_of(o, &honest), -1, NULL));
    }
    struct asked asked = twice(&head);
    how->change(&asked);
    *to = (struct owned_shot){
        .fd = o->front, .kind = FRAMES_SEAL_HEAD, .body = body_of(o, &asked), .with_fd = -1};
}

#define ATTACK(text, change)                                                                                 \
    {                                                                                                        \
        .what = text, .peer = HSM_PEER_FRONT, .aim = aim, .checks = {"head"}, .how = &(const struct how)     \
        {                                                                                                    \
            change                                                                                           \
        }                                                                                                    \
    }
const struct owned_attack owned_head_attacks[] = {
    ATTACK("a head over fewer entries", taken_back),
    ATTACK("a head over as many entries of another ledger", same_size_other_tree),
    ATTACK("a head without a proof", without_proof),
    ATTACK("a head of another root than the proof's", other_root),
    ATTACK("a head with the proof of another", proof_of_another),
    ATTACK("a head with a proof as long as there is", longer_proof),
    {.what = NULL},
};
