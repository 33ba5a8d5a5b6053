# libmicrohttpd, for the web UI: its header is looked for, never required; the library is opened by the verb alone.
set(PEN_HAS_MICROHTTPD OFF)
set(pen_ui_text "no libmicrohttpd-dev: penstock ui says so")
pkg_check_modules(MICROHTTPD libmicrohttpd>=0.9.72)
if(MICROHTTPD_FOUND)
    set(PEN_HAS_MICROHTTPD ON)
    set(pen_ui_text "libmicrohttpd ${MICROHTTPD_VERSION}")
endif()
