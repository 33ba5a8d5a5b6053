/* Points in time: text to seconds since 1970 UTC, and the parts of a date. */
#include "components/transform/dates.h"

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

/* At least one digit, at most n. */
static bool read_few_digits(const char **at, const char *end, int n, int64_t *value)
{
    const char *first = *at;
    while (*at - first < n && *at != end && **at >= '0' && **at <= '9') {
        (*at)++;
    }
    const char *behind = *at;
    *at = first;
    return behind != first && read_digits(at, behind, (int)(behind - first), value);
}

struct moment {
    int64_t year, month, day, hour, minute, second;
};

static bool read_iso_date(const char **at, const char *end, struct moment *m)
{
    if (!read_digits(at, end, 4, &m->year) || *at == end) {
        return false;
    }
    char separator = **at == '/' ? '/' : '-';
    return read_char(at, end, separator) && read_digits(at, end, 2, &m->month) && read_char(at, end, separator) &&
           read_digits(at, end, 2, &m->day);
}

static bool read_day_date(const char **at, const char *end, enum pen_date_order order, struct moment *m)
{
    int64_t *first = order == PEN_DATE_DMY ? &m->day : &m->month, *second = order == PEN_DATE_DMY ? &m->month : &m->day;
    if (!read_few_digits(at, end, 2, first) || *at == end) {
        return false;
    }
    char separator = **at == '/' ? '/' : **at == '.' ? '.' : '-';
    if (!read_char(at, end, separator) || !read_few_digits(at, end, 2, second) || !read_char(at, end, separator)) {
        return false;
    }
    const char *year = *at;
    if (!read_few_digits(at, end, 4, &m->year) || (*at - year != 4 && *at - year != 2)) {
        return false;
    }
    m->year += *at - year == 4 ? 0 : m->year < 69 ? 2000 : 1900;
    return true;
}

/* "AM" or "PM", in letters of either case, with or without a space before. */
static bool read_half(const char **at, const char *end, char letter)
{
    const char *here = *at != end && **at == ' ' ? *at + 1 : *at;
    if (end - here != 2 || (here[0] & ~0x20) != letter || (here[1] & ~0x20) != 'M') {
        return false;
    }
    *at = end;
    return true;
}

static bool read_time(const char **at, const char *end, enum pen_date_order order, struct moment *m)
{
    if ((!read_char(at, end, 'T') && !read_char(at, end, ' ')) ||
        !(order == PEN_DATE_YMD ? read_digits(at, end, 2, &m->hour) : read_few_digits(at, end, 2, &m->hour)) ||
        !read_char(at, end, ':') || !read_digits(at, end, 2, &m->minute)) {
        return false;
    }
    if (read_char(at, end, ':') && !read_digits(at, end, 2, &m->second)) {
        return false;
    }
    if (read_char(at, end, '.')) {
        while (*at != end && **at >= '0' && **at <= '9') {
            (*at)++;
        }
    }
    bool am = order != PEN_DATE_YMD && read_half(at, end, 'A'), pm = order != PEN_DATE_YMD && read_half(at, end, 'P');
    if ((am || pm) && (m->hour < 1 || m->hour > 12)) {
        return false;
    }
    m->hour += (pm && m->hour < 12 ? 12 : 0) - (am && m->hour == 12 ? 12 : 0);
    return m->hour < 24 && m->minute < 60 && m->second <= 60;
}

bool pen_parse_seconds(const char *text, size_t size_bytes, enum pen_date_order order, int64_t *seconds)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *at = text, *end = text + size_bytes;
    struct moment m = {0};
    if (order == PEN_DATE_YMD ? !read_iso_date(&at, end, &m) : !read_day_date(&at, end, order, &m)) {
        return false;
    }
    bool leap = (m.year % 4 == 0 && m.year % 100 != 0) || m.year % 400 == 0;
    if (m.month < 1 || m.month > 12 || m.day < 1 || m.day > lengths[m.month - 1] - (m.month == 2 && !leap)) {
        return false;
    }
    /* Days from civil date, years counted from March. */
    int64_t y = m.year - (m.month <= 2), era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m.month + (m.month > 2 ? -3 : 9)) + 2) / 5 + m.day - 1;
    int64_t days = era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
    *seconds = days * 86400;
    if (at == end) {
        return true;
    }
    if (!read_time(&at, end, order, &m)) {
        return false;
    }
    *seconds += 3600 * m.hour + 60 * m.minute + m.second;
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
