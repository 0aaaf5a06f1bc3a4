#ifndef MARTLET_CRABBITMQ_SHIM_H
#define MARTLET_CRABBITMQ_SHIM_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

// What Swift cannot call (variadic functions), cannot see (macros with casts) or reads only clumsily (unions).

/// How a synchronous call went wrong.
typedef enum {
    MARTLET_AMQP_OK = 0,
    /// `code` is a library status, see amqp_error_string2.
    MARTLET_AMQP_LIBRARY,
    /// The broker closed the channel with reply code `code`.
    MARTLET_AMQP_CHANNEL_CLOSED,
    /// The broker closed the connection with reply code `code`.
    MARTLET_AMQP_CONNECTION_CLOSED
} martlet_amqp_outcome_kind;

typedef struct {
    martlet_amqp_outcome_kind kind;
    int code;
    /// The broker's words; valid until the connection's buffers are released.
    amqp_bytes_t text;
} martlet_amqp_outcome;

static inline martlet_amqp_outcome martlet_amqp_outcome_of(amqp_rpc_reply_t reply) {
    martlet_amqp_outcome outcome = {MARTLET_AMQP_LIBRARY, AMQP_STATUS_CONNECTION_CLOSED, {0, NULL}};
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
        outcome.kind = MARTLET_AMQP_OK;
        outcome.code = 0;
        break;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        outcome.code = reply.library_error;
        break;
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
            amqp_channel_close_t *close = (amqp_channel_close_t *)reply.reply.decoded;
            outcome.kind = MARTLET_AMQP_CHANNEL_CLOSED;
            outcome.code = close->reply_code;
            outcome.text = close->reply_text;
        } else if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
            amqp_connection_close_t *close = (amqp_connection_close_t *)reply.reply.decoded;
            outcome.kind = MARTLET_AMQP_CONNECTION_CLOSED;
            outcome.code = close->reply_code;
            outcome.text = close->reply_text;
        }
        break;
    default:
        break;
    }
    return outcome;
}

/// The outcome of the last synchronous call on the connection.
static inline martlet_amqp_outcome martlet_amqp_last_outcome(amqp_connection_state_t state) {
    return martlet_amqp_outcome_of(amqp_get_rpc_reply(state));
}

static inline amqp_table_entry_t martlet_amqp_boolean(char const *key, bool value) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(key);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = value;
    return entry;
}

static inline amqp_table_entry_t martlet_amqp_integer(char const *key, int64_t value) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(key);
    entry.value.kind = AMQP_FIELD_KIND_I64;
    entry.value.value.i64 = value;
    return entry;
}

static inline amqp_table_entry_t martlet_amqp_text(char const *key, char const *value) {
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes(key);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(value);
    return entry;
}

/// Logs in with PLAIN and asks to be told when a consumer is cancelled or the connection is blocked: the broker sends
/// neither unasked. `name` shows in its list of connections.
static inline martlet_amqp_outcome martlet_amqp_login(
    amqp_connection_state_t state, char const *vhost, int heartbeat_seconds, char const *name, char const *user,
    char const *password) {
    amqp_table_entry_t capabilities[2] = {
        martlet_amqp_boolean("consumer_cancel_notify", true),
        martlet_amqp_boolean("connection.blocked", true),
    };
    amqp_table_entry_t properties[2];
    properties[0] = martlet_amqp_text("connection_name", name);
    properties[1].key = amqp_cstring_bytes("capabilities");
    properties[1].value.kind = AMQP_FIELD_KIND_TABLE;
    properties[1].value.value.table.num_entries = 2;
    properties[1].value.value.table.entries = capabilities;
    amqp_table_t table = {2, properties};
    return martlet_amqp_outcome_of(amqp_login_with_properties(
        state, vhost, 0, AMQP_DEFAULT_FRAME_SIZE, heartbeat_seconds, &table, AMQP_SASL_METHOD_PLAIN, user, password));
}

/// What a frame tells, with the fields that we use of it.
typedef enum {
    MARTLET_AMQP_NOTHING = 0,
    MARTLET_AMQP_ACK,
    MARTLET_AMQP_NACK,
    MARTLET_AMQP_RETURN,
    MARTLET_AMQP_DELIVER,
    MARTLET_AMQP_CANCEL,
    MARTLET_AMQP_HEADER,
    MARTLET_AMQP_BODY,
    MARTLET_AMQP_BLOCKED,
    MARTLET_AMQP_UNBLOCKED,
    MARTLET_AMQP_CHANNEL_CLOSE,
    MARTLET_AMQP_CONNECTION_CLOSE,
    MARTLET_AMQP_OTHER
} martlet_amqp_frame_kind;

typedef struct {
    martlet_amqp_frame_kind kind;
    amqp_channel_t channel;
    /// ACK, NACK and DELIVER.
    uint64_t delivery_tag;
    /// ACK and NACK.
    bool multiple;
    /// RETURN, CHANNEL_CLOSE and CONNECTION_CLOSE.
    int reply_code;
    /// HEADER: the length of the body that follows.
    uint64_t body_size;
    /// RETURN and the two CLOSE: the reply text. BLOCKED: the reason. CANCEL: the consumer tag. DELIVER: the routing
    /// key. HEADER: the message id. BODY: the fragment. Valid until the connection's buffers are released.
    amqp_bytes_t bytes;
} martlet_amqp_frame;

/// Reads one frame that is already there; AMQP_STATUS_TIMEOUT if none is. Sends and checks heartbeats on the way.
static inline int martlet_amqp_next_frame(amqp_connection_state_t state, martlet_amqp_frame *out) {
    struct timeval now = {0, 0};
    amqp_frame_t frame;
    martlet_amqp_frame result = {MARTLET_AMQP_OTHER, 0, 0, false, 0, 0, {0, NULL}};
    int status = amqp_simple_wait_frame_noblock(state, &frame, &now);
    if (status != AMQP_STATUS_OK) {
        result.kind = MARTLET_AMQP_NOTHING;
        *out = result;
        return status;
    }
    result.channel = frame.channel;
    if (frame.frame_type == AMQP_FRAME_BODY) {
        result.kind = MARTLET_AMQP_BODY;
        result.bytes = frame.payload.body_fragment;
    } else if (frame.frame_type == AMQP_FRAME_HEADER) {
        amqp_basic_properties_t *properties = (amqp_basic_properties_t *)frame.payload.properties.decoded;
        result.kind = MARTLET_AMQP_HEADER;
        result.body_size = frame.payload.properties.body_size;
        if (frame.payload.properties.class_id == AMQP_BASIC_CLASS
            && (properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG)) {
            result.bytes = properties->message_id;
        }
    } else if (frame.frame_type == AMQP_FRAME_METHOD) {
        void *decoded = frame.payload.method.decoded;
        switch (frame.payload.method.id) {
        case AMQP_BASIC_ACK_METHOD:
            result.kind = MARTLET_AMQP_ACK;
            result.delivery_tag = ((amqp_basic_ack_t *)decoded)->delivery_tag;
            result.multiple = ((amqp_basic_ack_t *)decoded)->multiple;
            break;
        case AMQP_BASIC_NACK_METHOD:
            result.kind = MARTLET_AMQP_NACK;
            result.delivery_tag = ((amqp_basic_nack_t *)decoded)->delivery_tag;
            result.multiple = ((amqp_basic_nack_t *)decoded)->multiple;
            break;
        case AMQP_BASIC_RETURN_METHOD:
            result.kind = MARTLET_AMQP_RETURN;
            result.reply_code = ((amqp_basic_return_t *)decoded)->reply_code;
            result.bytes = ((amqp_basic_return_t *)decoded)->reply_text;
            break;
        case AMQP_BASIC_DELIVER_METHOD:
            result.kind = MARTLET_AMQP_DELIVER;
            result.delivery_tag = ((amqp_basic_deliver_t *)decoded)->delivery_tag;
            result.bytes = ((amqp_basic_deliver_t *)decoded)->routing_key;
            break;
        case AMQP_BASIC_CANCEL_METHOD:
            result.kind = MARTLET_AMQP_CANCEL;
            result.bytes = ((amqp_basic_cancel_t *)decoded)->consumer_tag;
            break;
        case AMQP_CONNECTION_BLOCKED_METHOD:
            result.kind = MARTLET_AMQP_BLOCKED;
            result.bytes = ((amqp_connection_blocked_t *)decoded)->reason;
            break;
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            result.kind = MARTLET_AMQP_UNBLOCKED;
            break;
        case AMQP_CHANNEL_CLOSE_METHOD:
            result.kind = MARTLET_AMQP_CHANNEL_CLOSE;
            result.reply_code = ((amqp_channel_close_t *)decoded)->reply_code;
            result.bytes = ((amqp_channel_close_t *)decoded)->reply_text;
            break;
        case AMQP_CONNECTION_CLOSE_METHOD:
            result.kind = MARTLET_AMQP_CONNECTION_CLOSE;
            result.reply_code = ((amqp_connection_close_t *)decoded)->reply_code;
            result.bytes = ((amqp_connection_close_t *)decoded)->reply_text;
            break;
        default:
            break;
        }
    }
    *out = result;
    return status;
}

/// Publishes JSON. A `persistent` message is also `mandatory`: the broker returns it if no queue takes it.
static inline int martlet_amqp_publish(
    amqp_connection_state_t state, amqp_channel_t channel, amqp_bytes_t exchange, amqp_bytes_t routing_key,
    amqp_bytes_t message_id, bool persistent, amqp_bytes_t body) {
    amqp_basic_properties_t properties = {0};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.delivery_mode = persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
    if (message_id.len > 0) {
        properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
        properties.message_id = message_id;
    }
    return amqp_basic_publish(state, channel, exchange, routing_key, persistent, false, &properties, body);
}

/// A counter to wake a thread that sleeps in poll; -1 with errno on failure.
static inline int martlet_eventfd(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/// While corked, what is written to the socket goes out in full segments instead of one a message.
static inline int martlet_set_cork(int descriptor, bool corked) {
    int value = corked;
    return setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

#endif
