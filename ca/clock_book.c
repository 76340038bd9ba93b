/*
 * What the ledger says of the clock, and what it is told: faults are entries of kind CLOCK, so that a restart
 * does not forget them, and so is a person's word that the clock is right. On the loop's thread.
 */
#include "base/world.h"
#include "house.h"

enum { LOOK_MS = 10 * 1000 };

/* A fault of the clock goes into the ledger: the next start must know of it too. */
static void tell(struct ca *ca)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_CLOCK,
        .actor = "self",
        .door = "self",
        .body.note = {.what = ca->clock.fault, .number = CA_CLOCK_DISTRUSTED},
    };
    if (!ca->clock.untold)
        return;
    ca->clock.untold = false;
    ca_note(ca, &entry);
}

static struct err *entry_at(struct ca *ca, uint64_t seq, struct arena *arena, struct ledger_entry *ret)
{
    struct err *e = NULL;
    const struct ledger_entry *entry;
    size_t n;
    TRY(ledger_log(ca->ledger, seq, 1, arena, &entry, &n));
    if (n == 0)
        return err_new(ERR_CORRUPT, "the ledger has no entry %llu", (unsigned long long)seq);
    *ret = *entry;
out:
    return e;
}

/* The clock may have fallen back, and entries been written, before anyone looked: not only the last one
 * counts, but what stands ahead of now since the clock was spoken of last. */
static struct err *reached_ms(struct ca *ca, const struct ledger_head *head, struct arena *arena,
                              const struct ledger_entry *spoken, int64_t *ret)
{
    struct err *e = NULL;
    struct ledger_entry entry;
    uint64_t ahead;
    *ret = head->last_time_ms > spoken->time_ms ? head->last_time_ms : spoken->time_ms;
    TRY(ledger_seq_at(ca->ledger, world_now_ms() + CLOCK_BEHIND_MS, &ahead));
    if (ahead > head->entries || ahead < spoken->seq)
        return NULL;
    TRY(entry_at(ca, ahead, arena, &entry));
    *ret = entry.time_ms > *ret ? entry.time_ms : *ret;
out:
    return e;
}

/* As the ledger left it. */
static struct err *take_up(struct ca *ca)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(8u << 20);
    struct ledger_head head;
    struct ledger_entry spoken = {.kind = LEDGER_CLOCK};
    int64_t reached;

    TRY(ledger_head(ca->ledger, &head));
    if (head.clock)
        TRY(entry_at(ca, head.clock, arena, &spoken));
    TRY(reached_ms(ca, &head, arena, &spoken, &reached));
    clock_start(&ca->clock, reached);
    if (spoken.kind == LEDGER_CLOCK && spoken.body.note.number == CA_CLOCK_DISTRUSTED)
        clock_doubt(&ca->clock, spoken.body.note.what);
    tell(ca);
out:
    arena_free(arena);
    return e;
}

struct err *clock_book_check(struct ca *ca)
{
    struct err *e = clock_check(&ca->clock);
    tell(ca);
    return e;
}

/* A leap is noticed where nobody asks for anything, too. */
static void look(void *arg)
{
    struct ca *ca = arg;
    err_free(clock_book_check(ca));
    loop_timer_set(ca->clock_look, LOOK_MS);
}

struct err *clock_book_open(struct ca *ca)
{
    ca->clock_look = loop_timer_new(ca->loop, look, ca);
    loop_timer_set(ca->clock_look, LOOK_MS);
    return take_up(ca);
}

void clock_book_close(struct ca *ca)
{
    loop_timer_free(ca->clock_look);
    ca->clock_look = NULL;
}
