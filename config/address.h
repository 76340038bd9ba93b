/* Listening addresses as text. Private to config. */
#ifndef CHANCERY_CONFIG_ADDRESS_H
#define CHANCERY_CONFIG_ADDRESS_H

#include "config.h"

/* "127.0.0.1:8443" or "[::1]:8443"; false where it is neither. text is borrowed. */
bool address_parse(const char *text, struct config_address *ret);

#endif
