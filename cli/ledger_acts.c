/* Acts looked at afterwards: see ledger_acts.h. Needs no daemon and no key. */
#include "ledger_acts.h"

#include <string.h>

#include "ca_act.h"

static void found(struct ledger_acts *a, uint64_t seq, const char *what)
{
    a->findings++;
    a->finding(a->arg, seq, what);
}

/* at, time_ms: of its being done, or of the last word said to it. */
static struct err *judge(struct ledger_acts *a, struct ledger *ledger, const struct ledger_act_state *book,
                         uint64_t at, int64_t time_ms, struct arena *arena)
{
    struct err *e = NULL;
    struct ledger_roster noted;
    struct hsm_roster *roster = NULL;
    struct hsm_act act;
    struct hsm_act_judged judged;
    struct hsm_act_approved *approved = ARENA_NEW(arena, struct hsm_act_approved);
    TRY(ledger_act_roster(ledger, at, arena, &noted));
    TRY(hsm_roster_of_canonical(noted.canonical, &roster));
    TRY(ca_act_gather(roster, book, approved));
    TRY(hsm_act_judge(roster, approved, a->vault, time_ms / 1000, arena, &act, &judged));
out:
    hsm_roster_free(roster);
    return e;
}

static const struct ledger_acts_rolled *rolled_of(const struct ledger_acts *a,
                                                  const struct ledger_act_state *book)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(book->request.act, hash);
    for (size_t i = 0; i < a->rolled_n; i++)
        if (memcmp(a->rolled[i].sha256, hash, SHA256_BYTES) == 0)
            return &a->rolled[i];
    return NULL;
}

static const struct ledger_act_step *last_step(const struct ledger_act_state *book, unsigned kind)
{
    for (size_t i = book->steps_n; i > 0; i--)
        if (book->steps[i - 1].kind == kind)
            return &book->steps[i - 1];
    return NULL;
}

/* Another vault's, whose roll is looked at too. */
static bool of_another(const struct ledger_acts *a, const struct ledger_act_state *book, struct arena *arena)
{
    struct hsm_act act;
    struct err *e = hsm_act_read(book->request.act, arena, &act);
    bool another = false;
    for (size_t i = 0; !e && i < a->vaults_n; i++)
        another = another || (view_eq(act.vault, a->vaults[i]) && !view_eq(act.vault, a->vault));
    err_free(e);
    return another;
}

static void check_one(struct ledger_acts *a, struct ledger *ledger, const struct ledger_act_state *book,
                      struct arena *arena)
{
    const struct ledger_act_step *done = last_step(book, LEDGER_ACT_DONE),
                                 *approved = last_step(book, LEDGER_ACT_APPROVE);
    const struct ledger_acts_rolled *rolled = rolled_of(a, book);
    if ((!done && !rolled) || of_another(a, book, arena))
        return;
    a->done++;
    uint64_t at = done ? done->seq : approved ? approved->seq : book->seq;
    int64_t time_ms = done ? done->time_ms : approved ? approved->time_ms : book->time_ms;
    if (done && !rolled && done->note.number <= a->last)
        found(a, done->seq, "an act noted as done that the roll does not have");
    if (done && rolled && done->note.number != rolled->n)
        found(a, done->seq, "an act noted as done under another number than the roll has");
    struct err *e = judge(a, ledger, book, at, time_ms, arena);
    if (e)
        found(a, at, arena_printf(a->cli->arena, "an act was done that was not approved: %s", err_detail(e)));
    err_free(e);
}

static struct err *check_rolled(struct ledger_acts *a, struct ledger *ledger, struct arena *arena)
{
    struct err *e = NULL;
    for (size_t i = 0; i < a->rolled_n; i++) {
        struct ledger_act_state book;
        arena_reset(arena);
        e = ledger_act_find(ledger, view_of(a->rolled[i].id, HSM_ACT_ID_BYTES), arena, &book);
        if (e && err_code(e) != ERR_NOT_FOUND)
            return e;
        if (e)
            found(a, 0,
                  arena_printf(a->cli->arena, "the roll has an act (number %llu) that nobody asked for",
                               (unsigned long long)a->rolled[i].n));
        err_free(e);
    }
    return NULL;
}

struct err *ledger_acts_check(struct ledger_acts *a, struct ledger *ledger)
{
    enum { PAGE = 50 };
    struct err *e = NULL;
    struct arena *arena = arena_new((size_t)64 << 20);
    const struct ledger_act_state *books;
    uint64_t before = 0;
    size_t n;
    do {
        arena_reset(arena);
        TRY(ledger_act_list(ledger, before, PAGE, arena, &books, &n));
        before = n ? books[n - 1].seq : 0;
        for (size_t i = 0; i < n; i++)
            check_one(a, ledger, &books[i], arena);
    } while (n == PAGE);
    TRY(check_rolled(a, ledger, arena));
out:
    arena_free(arena);
    return e;
}
