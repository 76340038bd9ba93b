/* The role `front`: HTTPS, enrolment and decisions; the one writer of ledger and shelf. */
#ifndef CHANCERY_DAEMON_ROLE_FRONT_H
#define CHANCERY_DAEMON_ROLE_FRONT_H

#include "child.h"

extern const struct child_role role_front;

#endif
