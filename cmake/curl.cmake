# libcurl, for mails through SMTP and for webhooks: its header is looked for, never required; the library is opened by
# the first that is sent.
set(PEN_HAS_CURL OFF)
set(pen_curl_text "no libcurl4-openssl-dev: no SMTP, no webhooks")
pkg_check_modules(CURL libcurl)
if(CURL_FOUND)
    set(PEN_HAS_CURL ON)
    set(pen_curl_text "libcurl ${CURL_VERSION}")
endif()
