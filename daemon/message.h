/* What the warden and its children say to each other: the frames of frames.def as structs. Pure; any thread.
 */
#ifndef CHANCERY_DAEMON_MESSAGE_H
#define CHANCERY_DAEMON_MESSAGE_H

#include <sys/types.h>

#include "base/digest.h"
#include "base/frame.h"
#include "jail.h"

enum message {
#define FRAME(name, number, from, max) MESSAGE_##name = (number),
#include "frames.def"
#undef FRAME
};
enum message_side { MESSAGE_FROM_WARDEN, MESSAGE_FROM_CHILD };

/* ERR_PROTOCOL where this side may not send it, or the body is over its bound. */
MUST_USE struct err *message_check(const struct frame *f, enum message_side from);
const char *message_name(uint16_t kind);

enum message_process { MESSAGE_VAULT, MESSAGE_FRONT, MESSAGE_RESPONDER, MESSAGE_COURIER, MESSAGE_PROCESSES };

struct message_start {
    enum message_process process;
    unsigned index; /* of this kind */
    pid_t warden;
    bool drop, own_user;
    uid_t uid;
    gid_t gid;
    uid_t owner;      /* of the installation: administrator on control.sock, besides root */
    const char *file; /* absolute path of chancery.yaml */
    unsigned listeners;
    unsigned pins; /* descriptors that follow the listeners: of each token's PIN */
};
MUST_USE struct err *message_start_write(const struct message_start *m, struct arena *arena,
                                         struct view *ret);
MUST_USE struct err *message_start_read(struct view body, struct arena *arena, struct message_start *ret);

MUST_USE struct err *message_ready_write(const struct jail_state *s, struct arena *arena, struct view *ret);
MUST_USE struct err *message_ready_read(struct view body, struct jail_state *ret);

MUST_USE struct err *message_prepared_write(const char *why, struct arena *arena, struct view *ret);
MUST_USE struct err *message_prepared_read(struct view body, struct arena *arena, const char **ret_why);

/* RETRY_PIN, CHANGE_PIN: of which of the vault's tokens. */
MUST_USE struct err *message_pin_write(unsigned token, struct arena *arena, struct view *ret);
MUST_USE struct err *message_pin_read(struct view body, unsigned *ret_token);
/* outcome: enum hsm_pin_change, at most 2. */
MUST_USE struct err *message_pin_changed_write(unsigned token, unsigned outcome, const char *why,
                                               struct arena *arena, struct view *ret);
MUST_USE struct err *message_pin_changed_read(struct view body, struct arena *arena, unsigned *ret_token,
                                              unsigned *ret_outcome, const char **ret_why);

MUST_USE struct err *message_attach_write(enum message_process kind, unsigned index, struct arena *arena,
                                          struct view *ret);
MUST_USE struct err *message_attach_read(struct view body, enum message_process *ret, unsigned *ret_index);

struct message_status_row {
    const char *name; /* "vault", "responder-2" */
    pid_t pid;        /* 0: not running */
    bool ready;
    unsigned restarts;
    bool broken; /* its restarts are held back by the breaker */
    const char *isolation;
    enum jail_level level;
};
struct message_status {
    uint32_t generation;
    uint8_t sha256[SHA256_BYTES]; /* of the generation */
    size_t n;
    const struct message_status_row *rows;
};
MUST_USE struct err *message_status_write(const struct message_status *m, struct arena *arena,
                                          struct view *ret);
MUST_USE struct err *message_status_read(struct view body, struct arena *arena, struct message_status *ret);

#endif
