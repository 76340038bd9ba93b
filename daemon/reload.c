/* Two-phase reload: only the order of messages and who is awaited. See reload.h. The warden's thread. */
#include "reload.h"

#include "base/check.h"

bool reload_running(const struct reload *r)
{
    return r->phase != RELOAD_IDLE;
}

bool reload_awaits(const struct reload *r, size_t child)
{
    return reload_running(r) && child < r->n && r->waiting[child];
}

static bool anyone_awaited(const struct reload *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->waiting[i])
            return true;
    return false;
}

static void end(struct reload *r, const char *why)
{
    r->phase = RELOAD_IDLE;
    r->acts.done(r->acts.arg, why);
}

static void give_up(struct reload *r, const char *why)
{
    /* Also to those that have not answered yet: they may be about to. */
    for (size_t i = 0; i < r->n; i++)
        if (r->prepared[i] || r->waiting[i])
            r->acts.send(r->acts.arg, i, RELOAD_ABORT);
    end(r, why);
}

/* To children [from, to) that take part: PREPARE, or COMMIT to those that have prepared. */
static void to_some(struct reload *r, size_t from, size_t to, enum reload_phase phase, enum reload_send what)
{
    r->phase = phase;
    for (size_t i = from; i < to; i++) {
        r->waiting[i] = !r->absent[i] && (what == RELOAD_PREPARE || r->prepared[i]);
        if (r->waiting[i])
            r->acts.send(r->acts.arg, i, what);
    }
}

void reload_start(struct reload *r, const struct reload_acts *acts, size_t n, size_t first,
                  const bool *absent)
{
    CHECK(first >= 1 && first <= n && n <= RELOAD_CHILDREN_MAX && r->phase == RELOAD_IDLE);
    *r = (struct reload){.acts = *acts, .n = n, .first = first};
    for (size_t i = 0; absent && i < n; i++)
        r->absent[i] = absent[i];
    to_some(r, 0, first, RELOAD_FIRST_PREPARES, RELOAD_PREPARE);
}

/* Nobody is awaited any more in this phase: on to the next. */
static void advance(struct reload *r)
{
    while (!anyone_awaited(r)) {
        switch (r->phase) {
        case RELOAD_FIRST_PREPARES:
            to_some(r, r->first, r->n, RELOAD_OTHERS_PREPARE, RELOAD_PREPARE);
            break;
        case RELOAD_OTHERS_PREPARE:
            r->acts.turn(r->acts.arg);
            to_some(r, 0, r->first, RELOAD_FIRST_COMMITS, RELOAD_COMMIT);
            break;
        case RELOAD_FIRST_COMMITS:
            to_some(r, r->first, r->n, RELOAD_OTHERS_COMMIT, RELOAD_COMMIT);
            break;
        case RELOAD_OTHERS_COMMIT:
            end(r, NULL);
            return;
        case RELOAD_IDLE:
            return;
        }
    }
}

static bool before_turn(const struct reload *r)
{
    return r->phase == RELOAD_FIRST_PREPARES || r->phase == RELOAD_OTHERS_PREPARE;
}

bool reload_answer(struct reload *r, size_t child, const char *why)
{
    if (!reload_awaits(r, child))
        return false;
    r->waiting[child] = false;
    if (before_turn(r) && why) {
        give_up(r, why);
        return true;
    }
    if (before_turn(r))
        r->prepared[child] = true;
    advance(r);
    return true;
}

void reload_died(struct reload *r, size_t child)
{
    if (!reload_running(r) || child >= r->n || r->absent[child])
        return;
    r->waiting[child] = false;
    r->prepared[child] = false;
    if (before_turn(r)) {
        give_up(r, "a process ended meanwhile");
        return;
    }
    advance(r);
}

void reload_timeout(struct reload *r)
{
    if (!reload_running(r))
        return;
    if (before_turn(r)) {
        give_up(r, "a process did not answer in time");
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        r->waiting[i] = false;
    advance(r);
}
