/* Between building and printing JSON. */
#ifndef PEN_CORE_JSON_INTERNAL_H
#define PEN_CORE_JSON_INTERNAL_H

/* Left in an object when memory ran out while a member was set. */
#define PEN_JSON_FAILURE_KEY "\x01out of memory"

#endif
