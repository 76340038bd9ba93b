/* People with keys on a roster, and acts that they ask for, approve and deny. One set of keys for the
 * program. */
#ifndef CHANCERY_TESTS_HSM_ACT_SCENE_H
#define CHANCERY_TESTS_HSM_ACT_SCENE_H

#include "hsm_act.h"

enum act_person {
    MARIA,  /* admin, P-256 */
    MARIA2, /* the same person's other key, RSA */
    NILS,   /* admin, Ed25519 */
    OLGA,   /* admin, P-384 */
    PAUL,   /* operator, P-256 */
    QUINN,  /* admin, P-256, revoked */
    RITA,   /* on no roster, P-256 */
    ACT_PEOPLE
};

struct view act_scene_spki(enum act_person who);
/* roster.yaml's entries of all but RITA, two spaces in. */
const char *act_scene_entries(struct arena *arena);
/* A whole roster: quorum 2, thaw 2, ca-state 1, accept-loss 0. */
struct hsm_roster *act_scene_roster(struct arena *arena);

/* An act of this kind and object, for this vault (16 octets), asked for by who, made now, for an hour, under
 * a fresh id. Change what is to be wrong, then write it. */
struct hsm_act act_scene_act(enum hsm_act_kind kind, const char *object, struct view vault,
                             enum act_person who, struct arena *arena);
struct view act_scene_write(const struct hsm_act *act, struct arena *arena);

struct hsm_act_signature act_scene_sign(enum act_person who, enum hsm_act_verb verb, struct view act,
                                        struct arena *arena);
/* The act asked for by `who`, approved by each of these (ended by ACT_PEOPLE). */
struct hsm_act_approved act_scene_approved(struct view act, enum act_person who, const enum act_person *by,
                                           struct arena *arena);
struct view act_scene_approved_der(struct view act, enum act_person who, const enum act_person *by,
                                   struct arena *arena);

#endif
