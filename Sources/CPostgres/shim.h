#include <libpq-fe.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// Macros of character constants are not imported.
enum {
    MARTLET_DIAG_SQLSTATE = PG_DIAG_SQLSTATE,
    MARTLET_DIAG_SEVERITY = PG_DIAG_SEVERITY_NONLOCALIZED,
    MARTLET_DIAG_MESSAGE = PG_DIAG_MESSAGE_PRIMARY,
    MARTLET_DIAG_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME,
};

static inline void martlet_ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

// libpq prints notices to stderr unless told otherwise.
static inline void martlet_silence_notices(PGconn *connection) {
    PQsetNoticeReceiver(connection, martlet_ignore_notice, NULL);
}

// How many rows a command changed; none for SELECT, whose tag counts the rows that it returned.
static inline long martlet_changed_rows(PGresult *result) {
    const char *tag = PQcmdStatus(result);
    if (tag[0] == 'S') return 0;
    return atol(PQcmdTuples(result));
}

// For a thread's own use, so that a profile of the process tells whose time it is.
static inline void martlet_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
