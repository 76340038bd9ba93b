/* The role `courier`: connections to other hosts, with no key and no ledger. */
#ifndef CHANCERY_DAEMON_ROLE_COURIER_H
#define CHANCERY_DAEMON_ROLE_COURIER_H

#include "child.h"

extern const struct child_role role_courier;

#endif
