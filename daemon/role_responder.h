/* The role `responder`: OCSP, CRLs and CA certificates over HTTP, from the shelf. */
#ifndef CHANCERY_DAEMON_ROLE_RESPONDER_H
#define CHANCERY_DAEMON_ROLE_RESPONDER_H

#include "child.h"

extern const struct child_role role_responder;

#endif
