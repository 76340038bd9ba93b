/* Telling systemd how far we are (sd_notify's protocol): nothing where NOTIFY_SOCKET is not set. */
#ifndef CHANCERY_DAEMON_NOTIFY_H
#define CHANCERY_DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1": lines of the protocol. Failures are of no consequence. */
void notify(const char *state);

#endif
