/*
 * The shelf, sent elsewhere: what lies on one is written as framed records (base/frame.h) to any stream of
 * octets, and what is read from one is put on another shelf, so that a responder can serve on a host that has
 * nothing else. One way: the receiver says where it stands when the stream is begun, and is sent what has
 * changed since, or all of it.
 *
 *     BEGIN  SEQUENCE { version INTEGER (1), shelf OCTET STRING (16), whole BOOLEAN }
 *     PART   OCTET STRING: the beginning of the value that the next PUT ends
 *     PUT    SEQUENCE { table ENUMERATED (1: answers, 2: blobs), key OCTET STRING, value OCTET STRING }
 *     DEL    SEQUENCE { table ENUMERATED, key OCTET STRING }
 *     AT     INTEGER: all up to this change of the shelf has been sent; also sent when nothing has changed
 *
 * After BEGIN with whole, PUTs come in order of table and key up to the first AT, and what is not among them
 * is taken away. A record carries no proof of where it comes from: answers and lists are signed, and who
 * could change the stream could withhold them or send old ones, until their nextUpdate, as a network can.
 * Blocking; one thread.
 */
#ifndef CHANCERY_LEDGER_STREAM_H
#define CHANCERY_LEDGER_STREAM_H

#include "base/frame.h"

enum stream_record { STREAM_BEGIN = 40, STREAM_PART, STREAM_PUT, STREAM_DEL, STREAM_AT };

/* "4f6d...e1:1234": a shelf, and how many changes of it. */
enum { STREAM_POSITION_BYTES = 64 };

/* --- sending: any process that may read the shelf --- */

struct stream_sender;
/* Gives one record on; borrowed. */
typedef struct err *stream_give(void *arg, const struct frame *record);

/* from: a receiver's position, or NULL: then all is sent. ERR_NOT_FOUND: there is no shelf yet. */
MUST_USE struct err *stream_sender_new(const char *dir, const char *from, stream_give *give, void *arg,
                                       struct stream_sender **ret);
/* Sends what there is to be sent now, and ends with AT. Whatever a slow reader costs, the shelf is not held
 * meanwhile. */
MUST_USE struct err *stream_sender_send(struct stream_sender *s);
void stream_sender_free(struct stream_sender *s); /* accepts NULL */

/* --- receiving: the only writer of its shelf --- */

struct stream_receiver;
/* Makes the shelf where there is none. ERR_WRONG_STATE: it is one that a front keeps. */
MUST_USE struct err *stream_receiver_new(const char *dir, struct stream_receiver **ret);
/* Where it stands; "" where it has nothing yet. */
MUST_USE struct err *stream_receiver_position(struct stream_receiver *r, char to[STREAM_POSITION_BYTES]);
/* Puts one record on the shelf; what has come is visible to responders at the latest with the next AT.
 * ERR_PROTOCOL and ERR_BAD_DER: not what a sender sends; the shelf is as it was at some AT or between two. */
MUST_USE struct err *stream_receiver_take(struct stream_receiver *r, const struct frame *record);
void stream_receiver_free(struct stream_receiver *r); /* what has no AT yet is taken back; accepts NULL */

#endif
