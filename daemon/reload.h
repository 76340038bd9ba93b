/*
 * The two phases of a reload, as a state and what moves it. The first children (the vaults) prepare, then all
 * others; where every one has prepared, the first commit, then the others: so a vault knows a generation
 * before any seal names it, and still knows the one before. One refusal, death or timeout before that: all
 * keep the old. Afterwards there is no way back: a child that dies then is started on the new generation.
 *
 * No I/O: what is to be sent goes through `send`.
 */
#ifndef CHANCERY_DAEMON_RELOAD_H
#define CHANCERY_DAEMON_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

enum { RELOAD_CHILDREN_MAX = 80 };

enum reload_send { RELOAD_PREPARE, RELOAD_COMMIT, RELOAD_ABORT };
enum reload_phase {
    RELOAD_IDLE,
    RELOAD_FIRST_PREPARES,
    RELOAD_OTHERS_PREPARE,
    RELOAD_FIRST_COMMITS,
    RELOAD_OTHERS_COMMIT,
};

struct reload_acts {
    void (*send)(void *arg, size_t child, enum reload_send what);
    /* All have prepared: from now on the new generation is the one that children are started with. */
    void (*turn)(void *arg);
    /* The end. why: NULL where the new generation is in force everywhere. */
    void (*done)(void *arg, const char *why);
    void *arg;
};

struct reload {
    struct reload_acts acts;
    enum reload_phase phase;
    size_t n, first;
    bool absent[RELOAD_CHILDREN_MAX];   /* takes no part */
    bool waiting[RELOAD_CHILDREN_MAX];  /* for its answer */
    bool prepared[RELOAD_CHILDREN_MAX]; /* must hear COMMIT or ABORT */
};

/* Of n children, of which the first ones are vaults. absent: n of them, who is away and will start on
 * whichever generation is in force then; NULL: nobody. */
void reload_start(struct reload *r, const struct reload_acts *acts, size_t n, size_t first,
                  const bool *absent);
bool reload_running(const struct reload *r);
/* The child answered PREPARE (why: NULL, or why not) or COMMIT (why: NULL). Out of turn: false, and nothing
 * happens: the child broke the protocol. */
bool reload_answer(struct reload *r, size_t child, const char *why);
void reload_died(struct reload *r, size_t child);
/* Time is up: before the turn the reload is off, after it whoever has not answered is on its own. */
void reload_timeout(struct reload *r);
/* Whom a timeout after the turn would find: to be ended, so that it starts anew on the new generation. */
bool reload_awaits(const struct reload *r, size_t child);

#endif
