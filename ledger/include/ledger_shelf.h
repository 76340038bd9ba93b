/*
 * The shelf: what the responders serve, ready made, in an LMDB environment of its own. All of it can be made
 * again from the ledger. The front writes, through a thread and in groups; responders read, as another user
 * (files 0660, the folder's group), never writing but to the lock file.
 */
#ifndef CHANCERY_LEDGER_SHELF_H
#define CHANCERY_LEDGER_SHELF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/loop.h"

enum {
    SHELF_NAME_BYTES = 255,
    SHELF_ETAG_BYTES = 64,
    SHELF_ISSUER_BYTES = 63,
    SHELF_ID_BYTES = SERIAL_BYTES + 1
};

/* When what lies there was made and until when it holds. next_update 0: without end. etag: without quotes,
 * may be "" */
struct shelf_item {
    struct view bytes;
    int64_t this_update, next_update;
    const char *etag;
    /* What is too large for the map lies in a file beside it: then bytes is empty (p is not NULL), and
     * shelf_item_open() gives a descriptor. NULL: in bytes. Set by reading alone. */
    const char *file;
    uint64_t file_bytes;
};
enum { SHELF_INLINE_BYTES = 256 * 1024 }; /* more than this is better put as a file */

/* --- writing: the front --- */

struct shelf;

/* dir: made (02770) where missing. loop NULL: puts are committed at once, one by one (init). map_bytes 0: 64
 * GiB. */
MUST_USE struct err *shelf_open(const char *dir, size_t map_bytes, struct loop *loop, struct shelf **ret);
void shelf_close(struct shelf *s); /* writes what is queued, calls its dones; accepts NULL */

/* e: NULL: a reader that begins its turn now sees it. Else the callee's. */
typedef void shelf_done(void *arg, struct err *e);

/* Everything is copied. done may be NULL: failures are then only logged. Errors at once: ERR_BUSY. Puts are
 * committed in order; those that wait together, in one transaction. id, here and below: the serial, and one
 * octet more where there are several answers for it. */
MUST_USE struct err *shelf_put_answer(struct shelf *s, const char *issuer, struct view id,
                                      const struct shelf_item *item, shelf_done *done, void *arg);
MUST_USE struct err *shelf_del_answer(struct shelf *s, const char *issuer, struct view id, shelf_done *done,
                                      void *arg);
/* name: "crl/issuing", "ca/issuing", "chain/issuing", "meta", ... */
MUST_USE struct err *shelf_put_blob(struct shelf *s, const char *name, const struct shelf_item *item,
                                    shelf_done *done, void *arg);
MUST_USE struct err *shelf_del_blob(struct shelf *s, const char *name, shelf_done *done, void *arg);

/* A file of the shelf, for a blob that is too large for the map: made empty, written by the caller on any
 * thread, then put in one step, which takes the place of what lay under that name; whoever reads that goes on
 * reading it. Files that no blob names are gone at the next opening. */
struct shelf_file {
    int fd; /* -1: none */
    char name[40];
};
MUST_USE struct err *shelf_file_new(struct shelf *s, struct shelf_file *ret); /* any thread */
/* Closed and removed; one that was put is no longer the caller's and fd is -1: then nothing. Any thread. */
void shelf_file_drop(struct shelf *s, struct shelf_file *file);
/* item->bytes is not looked at. Syncs the file on the writer's thread. On success file->fd is -1. */
MUST_USE struct err *shelf_put_file(struct shelf *s, const char *name, const struct shelf_item *item,
                                    struct shelf_file *file, shelf_done *done, void *arg);
/* ERR_NOT_FOUND where a newer one has taken its place. The caller closes it. Any thread. */
MUST_USE struct err *shelf_item_open(const struct shelf *s, const struct shelf_item *item, int *ret_fd);

/* The front's own look at what lies there; copied into the arena. bytes.p NULL: nothing. */
MUST_USE struct err *shelf_get_answer(struct shelf *s, const char *issuer, struct view id,
                                      struct arena *arena, struct shelf_item *ret);
MUST_USE struct err *shelf_get_blob(struct shelf *s, const char *name, struct arena *arena,
                                    struct shelf_item *ret);

/* For the sweep: up to max answers in key order after (issuer, after): which, and when they stop to hold.
 * Ends with the issuer. */
struct shelf_due {
    uint8_t id[SHELF_ID_BYTES];
    size_t id_n; /* SERIAL_BYTES, or one more */
    int64_t this_update, next_update;
};
MUST_USE struct err *shelf_answers(struct shelf *s, const char *issuer, struct view after,
                                   struct shelf_due *to, size_t max, size_t *ret_n);

/* --- reading: the responder --- */

struct shelf_reader;

/* Never fails for a shelf that is not there yet: it is looked for again at most once a second. One thread. */
struct shelf_reader *shelf_reader_new(const char *dir);
void shelf_reader_free(struct shelf_reader *r); /* accepts NULL */

/* One moment of the shelf, from begin to end: call begin before the first get of a turn, end when the turn's
 * answers are written (loop_after_turn). Views die at end. begin: ERR_STARTING where there is no shelf yet. A
 * second begin in the same turn does nothing. */
MUST_USE struct err *shelf_reader_begin(struct shelf_reader *r);
void shelf_reader_end(struct shelf_reader *r);
/* Between begin and end. False: not there. ret->bytes and etag point into the shelf. */
bool shelf_reader_answer(struct shelf_reader *r, const char *issuer, struct view id, struct shelf_item *ret);
bool shelf_reader_blob(struct shelf_reader *r, const char *name, struct shelf_item *ret);
/* Of an item that is a file: a descriptor of it, good beyond end(); -1 where it has gone. The caller's. */
int shelf_reader_open(struct shelf_reader *r, const struct shelf_item *item);

#endif
