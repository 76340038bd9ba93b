/* What the front writes into the ledger about itself: its start, configurations, rosters. Private to daemon.
 * The loop's thread. */
#ifndef CHANCERY_DAEMON_FRONT_NOTE_H
#define CHANCERY_DAEMON_FRONT_NOTE_H

#include "ledger.h"
#include "setup.h"

/* A front began; and the roster of that day, where it is another. */
MUST_USE struct err *front_note_start(struct ledger *l, const struct setup *s);
/* A configuration came into force; the roster likewise. */
MUST_USE struct err *front_note_generation(struct ledger *l, const struct setup *s);

#endif
