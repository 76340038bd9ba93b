/*
 * Tickets: what an asynchronous start returns. A table of slots; a ticket is a slot and its generation, so a
 * late completion finds nothing instead of freed memory. One thread. 0 is never a ticket.
 */
#ifndef CHANCERY_BASE_TICKET_H
#define CHANCERY_BASE_TICKET_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t ticket_id;
struct ticket_table;

struct ticket_table *ticket_table_new(size_t max);
void ticket_table_free(struct ticket_table *t); /* accepts NULL; must be empty or the owner's objects leak */

/* 0 where the table is full. obj must not be NULL. */
ticket_id ticket_put(struct ticket_table *t, void *obj);
void *ticket_find(const struct ticket_table *t, ticket_id id); /* NULL where stale */
void *ticket_take(struct ticket_table *t, ticket_id id);       /* removes; NULL where stale */
size_t ticket_count(const struct ticket_table *t);
/* Calls fn for each; fn may take the ticket it is shown. */
void ticket_each(struct ticket_table *t, void (*fn)(void *arg, ticket_id id, void *obj), void *arg);

#endif
