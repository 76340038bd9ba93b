/*
 * Tickets: a table of slots with generations. A ticket is (generation << 32 | slot + 1), so 0 is never one
 * and a late completion finds nothing. Free slots form a list through `next`. Never touches the objects. One
 * thread.
 */
#include "base/ticket.h"

#include <stdlib.h>

#include "base/check.h"

struct slot {
    void *obj; /* NULL where free */
    uint32_t generation;
    uint32_t next; /* of a free slot: the next free one, or NONE */
};

#define NONE UINT32_MAX

struct ticket_table {
    struct slot *slots;
    uint32_t n; /* slots made so far */
    uint32_t max;
    uint32_t free;
    uint32_t used;
};

struct ticket_table *ticket_table_new(size_t max)
{
    CHECK(max > 0 && max < NONE);
    struct ticket_table *t = calloc(1, sizeof(*t));
    CHECK(t);
    t->max = (uint32_t)max;
    t->free = NONE;
    return t;
}

void ticket_table_free(struct ticket_table *t)
{
    if (!t)
        return;
    free(t->slots);
    free(t);
}

static void grow(struct ticket_table *t)
{
    uint32_t n = t->n ? t->n * 2 : 16;
    if (n > t->max || n < t->n)
        n = t->max;
    struct slot *slots = realloc(t->slots, n * sizeof(*slots));
    CHECK(slots);
    t->slots = slots;
    for (uint32_t i = n; i > t->n; i--) {
        slots[i - 1] = (struct slot){.next = t->free};
        t->free = i - 1;
    }
    t->n = n;
}

ticket_id ticket_put(struct ticket_table *t, void *obj)
{
    CHECK(obj);
    if (t->free == NONE && t->n < t->max)
        grow(t);
    if (t->free == NONE)
        return 0;
    uint32_t i = t->free;
    struct slot *s = &t->slots[i];
    t->free = s->next;
    s->obj = obj;
    t->used++;
    return (uint64_t)s->generation << 32 | (i + 1);
}

static struct slot *slot_of(const struct ticket_table *t, ticket_id id)
{
    uint32_t i = (uint32_t)id;
    if (i == 0 || i > t->n)
        return NULL;
    struct slot *s = &t->slots[i - 1];
    return s->obj && s->generation == (uint32_t)(id >> 32) ? s : NULL;
}

void *ticket_find(const struct ticket_table *t, ticket_id id)
{
    struct slot *s = slot_of(t, id);
    return s ? s->obj : NULL;
}

void *ticket_take(struct ticket_table *t, ticket_id id)
{
    struct slot *s = slot_of(t, id);
    if (!s)
        return NULL;
    void *obj = s->obj;
    s->obj = NULL;
    s->generation++;
    s->next = t->free;
    t->free = (uint32_t)(s - t->slots);
    t->used--;
    return obj;
}

size_t ticket_count(const struct ticket_table *t)
{
    return t->used;
}

void ticket_each(struct ticket_table *t, void (*fn)(void *arg, ticket_id id, void *obj), void *arg)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (t->slots[i].obj)
            fn(arg, (uint64_t)t->slots[i].generation << 32 | (i + 1), t->slots[i].obj);
}
