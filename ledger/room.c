/*
 * The room that is kept back: what an intent under way still needs, and revocations with their answers and
 * lists. New work is refused while less is free, on the ledger's disk, in its map, or on the shelf's disk.
 * Reads alone; any thread, but for ledger_ready().
 */
#include <sys/statvfs.h>

#include "base/check.h"
#include "base/world.h"
#include "core.h"

enum {
    END_BYTES = 4 * 1024,    /* of an intent: its record's pages, and its rows' */
    REVOCATIONS = 1000,      /* that must still be possible */
    REVOKE_BYTES = 4 * 1024, /* of one: entry and rows */
    ANSWER_BYTES = 2 * 1024, /* and its answer on the shelf */
    LISTED_BYTES = 64,       /* and its line of a list */
    LISTS = 3,               /* of everything, of a partition, of what changed; */
    LOOK_MS = 1000
};

/* A small map keeps a smaller part of itself. */
static uint64_t revocations(const struct ledger *l)
{
    uint64_t part = l->map_bytes / 8 / REVOKE_BYTES;
    return part < REVOCATIONS ? part : REVOCATIONS;
}

/* The old lists lie there until the new ones do. */
static uint64_t shelf_kept(uint64_t revoked, uint64_t more)
{
    return more * ANSWER_BYTES + 2 * LISTS * (revoked + more) * LISTED_BYTES;
}

/* Where the shelf lies on another disk than the ledger, that one too. */
static void look_at_shelf(const struct ledger *l, uint64_t kept, struct core_room *to)
{
    struct statvfs disk;
    if (l->shelf_fd < 0 || fstatvfs(l->shelf_fd, &disk) != 0)
        return;
    uint64_t is_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (is_free < kept)
        to->free_bytes = 0;
}

struct err *core_room(struct ledger *l, struct store_txn *t, struct core_room *ret)
{
    struct err *e = NULL;
    struct store_room room;
    uint64_t open, revoked, more = revocations(l);
    TRY(l->ops->room(l->store, &room));
    TRY(l->ops->count(t, TABLE_OPEN, &open));
    TRY(l->ops->count(t, TABLE_REVOKED, &revoked));
    *ret = (struct core_room){.free_bytes = room.free_bytes,
                              .kept_bytes = open * END_BYTES + more * REVOKE_BYTES};
    uint64_t kept = shelf_kept(revoked, more);
    look_at_shelf(l, kept, ret);
    if (l->shelf_fd >= 0)
        ret->kept_bytes += kept; /* it may be the same disk */
out:
    return e;
}

static struct err *look(struct ledger *l)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    struct core_room room;
    TRY(l->ops->begin(l->store, false, &t));
    TRY(core_room(l, t, &room));
    atomic_store(&l->low, room.free_bytes < room.kept_bytes);
out:
    l->ops->abort(t);
    return e;
}

struct err *ledger_ready(struct ledger *l)
{
    struct err *e = NULL;
    int64_t now = world_mono_ms();
    int failed = atomic_load(&l->failed);
    if (now - l->looked_ms >= LOOK_MS) {
        l->looked_ms = now;
        TRY(look(l));
        failed = -1; /* once a second something is tried */
    }
    if (atomic_load(&l->low))
        return err_new(ERR_NO_SPACE,
                       "what is left of the disk, or of the ledger's bound, is kept for records, "
                       "revocations and their lists");
    if (failed >= 0)
        return err_new((enum err_code)failed, "the last entries could not be written");
out:
    return e;
}
