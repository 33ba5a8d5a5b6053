/* Points in time: ISO 8601 text to seconds since 1970 UTC, and the parts of a date. */
#include "components/transform/evaluate.h"

static bool read_digits(const char **at, const char *end, int n, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        if (*at == end || **at < '0' || **at > '9') {
            return false;
        }
        *value = 10 * *value + (*(*at)++ - '0');
    }
    return true;
}

static bool read_char(const char **at, const char *end, char c)
{
    if (*at == end || **at != c) {
        return false;
    }
    (*at)++;
    return true;
}

static bool read_zone(const char **at, const char *end, int64_t *seconds)
{
    if (read_char(at, end, 'Z') || *at == end) {
        return true;
    }
    int64_t sign = **at == '-' ? 1 : -1, hours = 0, minutes = 0;
    if (!read_char(at, end, '+') && !read_char(at, end, '-')) {
        return false;
    }
    if (!read_digits(at, end, 2, &hours)) {
        return false;
    }
    (void)read_char(at, end, ':');
    if (*at != end && !read_digits(at, end, 2, &minutes)) {
        return false;
    }
    *seconds += sign * (3600 * hours + 60 * minutes);
    return hours < 24 && minutes < 60;
}

bool pen_parse_seconds(const char *text, size_t size_bytes, int64_t *seconds)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *at = text, *end = text + size_bytes;
    int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!read_digits(&at, end, 4, &year) || at == end) {
        return false;
    }
    char separator = *at == '/' ? '/' : '-';
    if (!read_char(&at, end, separator) || !read_digits(&at, end, 2, &month) || !read_char(&at, end, separator) ||
        !read_digits(&at, end, 2, &day)) {
        return false;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] - (month == 2 && !leap)) {
        return false;
    }
    /* Days from civil date, years counted from March. */
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
    *seconds = days * 86400;
    if (at == end) {
        return true;
    }
    if ((!read_char(&at, end, 'T') && !read_char(&at, end, ' ')) || !read_digits(&at, end, 2, &hour) ||
        !read_char(&at, end, ':') || !read_digits(&at, end, 2, &minute)) {
        return false;
    }
    if (read_char(&at, end, ':') && !read_digits(&at, end, 2, &second)) {
        return false;
    }
    if (read_char(&at, end, '.')) {
        while (at != end && *at >= '0' && *at <= '9') {
            at++;
        }
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *seconds += 3600 * hour + 60 * minute + second;
    return read_zone(&at, end, seconds) && at == end;
}

int64_t pen_date_part_of(int64_t seconds, enum pen_date_part part)
{
    enum { DAY = 86400 };
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t rest = seconds - days * DAY;
    if (part == PEN_DATE_HOUR) {
        return rest / 3600;
    }
    if (part == PEN_DATE_MINUTE) {
        return rest / 60 % 60;
    }
    if (part == PEN_DATE_WEEKDAY) {
        int64_t weekday = (days + 3) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
        return weekday < 0 ? weekday + 7 : weekday;
    }
    /* Civil date from days: 400-year eras that start in March (Howard Hinnant's derivation). */
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    if (part == PEN_DATE_DAY) {
        return day_of_year - (153 * shifted_month + 2) / 5 + 1;
    }
    return part == PEN_DATE_MONTH ? month : year_of_era + era * 400 + (month <= 2);
}
