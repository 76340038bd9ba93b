/*
 * The table of processes: one row is what a kind of child is called, runs as, listens on, may open and does.
 * The warden starts children by it, a child jails itself by it, the documentation shows it.
 */
#ifndef CHANCERY_DAEMON_PROCESS_H
#define CHANCERY_DAEMON_PROCESS_H

#include "child.h"
#include "jail.h"

enum process_listens { PROCESS_LISTENS_NOWHERE, PROCESS_LISTENS_HTTPS, PROCESS_LISTENS_HTTP };

struct process_row {
    const char *name; /* as in --role */
    enum process_listens listens;
    bool pin;                      /* gets the PIN file's descriptor */
    const struct child_role *role; /* what it does */
    const char *has, *has_not;     /* in words */
};

const struct process_row *process_row(enum message_process kind);
/* MESSAGE_PROCESSES where there is none of this name. */
enum message_process process_of_name(const char *name);

/* How many of this kind there are, and what the one with this index is called; in the arena. */
size_t process_count(enum message_process kind, const struct config *c);
const char *process_label(enum message_process kind, unsigned index, const struct config *c,
                          struct arena *arena);

/* All that the process of this kind and index may open; in the arena. */
const struct jail_path *process_paths(enum message_process kind, unsigned index, const struct config *c,
                                      struct arena *arena, size_t *ret_n);

/* What it may connect to. */
enum jail_connects process_connects(enum message_process kind, unsigned index, const struct config *c);

/* Pairs that have a channel to each other: i from 0 until false. */
bool process_link(size_t i, enum message_process *ret_a, enum message_process *ret_b);

#endif
