/*
 * Where a mass revocation's certificates come from: pages of a search, serials one after the other, or the
 * seal roll, in which the beginning of the time is found by halving. On the loop's thread.
 */
#include "hsm_house.h"
#include "many.h"

enum { ROLL_PAGE = 256 };

static size_t step_of(const struct many_job *job)
{
    uint64_t pace = job->ask.per_second;
    return pace && pace < MANY_STEP ? (size_t)pace : MANY_STEP;
}

/* --- a search --- */

static struct err *fetch_query(struct many_job *job)
{
    struct err *e = NULL;
    struct ledger_page page;
    job->query.limit = step_of(job);
    job->query.cursor = job->cursor[0] ? job->cursor : NULL;
    TRY(ledger_search(job->ca->ledger, &job->query, job->page, &page));
    struct many_item *items = arena_array(job->page, page.n, sizeof *items);
    for (size_t i = 0; i < page.n; i++)
        items[i] = (struct many_item){.known = true,
                                      .cert = page.certs[i],
                                      .issuer = page.certs[i].issuer,
                                      .serial = page.certs[i].serial};
    snprintf(job->cursor, sizeof job->cursor, "%s", page.next ? page.next : "");
    many_take(job, items, page.n, page.next != NULL);
out:
    return e;
}

/* --- serials --- */

/* Sets known where it is on record. */
static struct err *look_up(struct many_job *job, struct many_item *item)
{
    struct err *e = ledger_find(job->ca->ledger, item->issuer, item->serial, job->page, &item->cert);
    item->known = e == NULL;
    if (e && err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    if (item->known)
        item->issuer = item->cert.issuer;
    return NULL;
}

static struct err *fetch_serials(struct many_job *job)
{
    struct err *e = NULL;
    size_t n = 0, most = step_of(job);
    struct many_item *items = arena_array(job->page, most, sizeof *items);
    for (; n < most && job->next_serial < job->ask.serials_n; n++, job->next_serial++) {
        items[n] =
            (struct many_item){.issuer = job->ask.issuer, .serial = job->ask.serials[job->next_serial]};
        TRY(look_up(job, &items[n]));
    }
    many_take(job, items, n, job->next_serial < job->ask.serials_n);
out:
    return e;
}

/* --- the seal roll --- */

static bool is_certificate(const struct hsm_roll_entry *en)
{
    return en->kind == HSM_ROLL_CERT || en->kind == HSM_ROLL_CA;
}

static struct err *take_sealed(struct many_job *job, const struct hsm_roll_entry *en, struct many_item *to)
{
    *to = (struct many_item){.sealed = true,
                             .issuer = arena_str(job->page, en->key),
                             .serial = en->serial,
                             .tbs_sha256 = en->tbs_sha256,
                             .template = arena_str(job->page, en->template),
                             .n = en->n,
                             .sealed_at = en->time_ms / 1000};
    return look_up(job, to);
}

static struct err *take_entries(struct many_job *job, struct view entries, uint64_t next)
{
    struct err *e = NULL;
    struct many_item *items = arena_array(job->page, ROLL_PAGE, sizeof *items);
    struct hsm_roll_entry en;
    size_t n = 0;
    bool past = next == 0;
    entries = arena_dup(job->page, entries);
    while (entries.n > 0 && n < ROLL_PAGE) {
        TRY(hsm_roll_entry_read(&entries, &en));
        past = past || (job->ask.until_ms && en.time_ms > job->ask.until_ms);
        bool within =
            en.time_ms >= job->ask.since_ms && (!job->ask.until_ms || en.time_ms <= job->ask.until_ms);
        if (within && is_certificate(&en))
            TRY(take_sealed(job, &en, &items[n++]));
    }
    job->next_n = next;
    if (past) { /* on to the next vault's */
        job->vault = hsm_next(job->vault);
        job->placed = false;
    }
    many_take(job, items, n, job->vault != NULL);
out:
    return e;
}

static void got_entries(void *arg, struct err *e, struct view entries, uint64_t next)
{
    struct many_job *job = arg;
    if (!e && job->report.state == CA_MANY_RUNNING)
        e = take_entries(job, entries, next);
    if (e)
        many_fail(job, e);
}

static struct err *halve(struct many_job *job);

static struct err *fetch_roll(struct many_job *job)
{
    uint64_t most = job->ask.per_second ? step_of(job) : ROLL_PAGE;
    return hsm_roll_read(job->vault, job->next_n, most, got_entries, job, NULL);
}

/* The first entry of the time lies in (low, high]. */
static struct err *place(struct many_job *job, struct view entries)
{
    struct err *e = NULL;
    struct hsm_roll_entry en;
    uint64_t mid = job->low_n + (job->high_n - job->low_n) / 2;
    TRY(hsm_roll_entry_read(&entries, &en));
    if (en.time_ms < job->ask.since_ms)
        job->low_n = mid;
    else
        job->high_n = mid;
    TRY(halve(job));
out:
    return e;
}

static void got_mid(void *arg, struct err *e, struct view entries, uint64_t next)
{
    struct many_job *job = arg;
    (void)next;
    if (!e && job->report.state == CA_MANY_RUNNING)
        e = place(job, entries);
    if (e)
        many_fail(job, e);
}

static struct err *halve(struct many_job *job)
{
    if (job->high_n - job->low_n <= 1) {
        job->placed = true;
        job->next_n = job->high_n;
        return fetch_roll(job);
    }
    uint64_t mid = job->low_n + (job->high_n - job->low_n) / 2;
    return hsm_roll_read(job->vault, mid, 1, got_mid, job, NULL);
}

static struct err *begin_roll(struct many_job *job)
{
    if (!job->vault)
        job->vault = job->ca->hsm;
    const struct hsm_status *status = hsm_status(job->vault);
    if (!status->attached)
        return err_new(ERR_TOKEN_AWAY, "a vault is not there: its seal roll cannot be read");
    job->low_n = 0;
    job->high_n = status->roll_n + 1;
    return halve(job);
}

void many_fetch(struct many_job *job)
{
    struct err *e;
    if (job->ask.source == CA_MANY_QUERY)
        e = fetch_query(job);
    else if (job->ask.source == CA_MANY_SERIALS_GIVEN)
        e = fetch_serials(job);
    else
        e = job->placed ? fetch_roll(job) : begin_roll(job);
    if (e)
        many_fail(job, e);
}
