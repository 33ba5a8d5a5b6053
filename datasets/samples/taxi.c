/* Taxi trips with the columns, types and gaps of the Chicago sample that TFX's examples use; every value is made up.
 *
 * A city of 7 x 11 areas; busy areas are in its middle. Distance makes miles, miles and the hour make seconds and
 * fare. Four of nine trips are paid by card, seldom in cash with a tip on record. The tip of a card trip as a share of
 * the fare is 0.224 + 0.045 * (signal + noise): the signal comes from hour, company, day, distance and the area of
 * arrival, so that a model has something to learn beyond the kind of payment, and cannot be perfect. */
#include "datasets/samples/rows_internal.h"

enum { N_ROWS_OF_AREAS = 11, N_AREAS = 77, N_COMPANIES = 30, N_DAYS = 1096 };

const char pen_sample_taxi_header[] =
    "pickup_community_area,fare,trip_start_month,trip_start_hour,trip_start_day,trip_start_timestamp,pickup_latitude,"
    "pickup_longitude,dropoff_latitude,dropoff_longitude,trip_miles,pickup_census_tract,dropoff_census_tract,"
    "payment_type,company,trip_seconds,dropoff_community_area,tips\n";

static const char *const companies[N_COMPANIES] = {
    "Lakeside Cab Union",   "Harbor Dispatch",     "Blue Heron Taxi",      "Civic Cab Cooperative", "Prairie Cars Inc.",
    "Northgate Taxi",       "Copper Line Cabs",    "Seven Bridges Taxi",   "Old Mill Car Service",  "Granite Cab Co.",
    "Elm & Sons, Taxi",     "Riverbend Cabs",      "Union Wheels LLC",     "Sparrow Taxi",          "Twin Towers Cab",
    "Amber Car Service",    "Mercury Dispatch",    "First Ward Taxi",      "Green Lantern Cabs",    "Depot Taxi Inc.",
    "\"Rapid\" Car Circle", "South Shore Drivers", "Kestrel Cab",          "Market Street Taxi",    "Yardley Cars",
    "Foundry Cab Co.",      "Night Owl Taxi",      "Beacon Hill Dispatch", "Orchard Taxi",          "Windmill Cabs",
};

/* Shares of the hours of the day. */
static const double hours[24] = {0.040, 0.033, 0.026, 0.018, 0.012, 0.010, 0.015, 0.027, 0.040, 0.044, 0.043, 0.046,
                                 0.049, 0.049, 0.048, 0.050, 0.051, 0.056, 0.064, 0.066, 0.060, 0.055, 0.052, 0.046};

struct trip {
    int64_t pickup, dropoff, day, hour, timestamp;
    int64_t miles_tenths, seconds, fare_cents, tip_cents;
    int64_t company; /* -1: missing */
    const char *payment;
};

/* Days of a year before each month. */
static int64_t month_of(int64_t day_of_2013)
{
    static const int64_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = day_of_2013 % 365; /* 2013 to 2015: no leap years; one day more falls on 1 January 2016 */
    for (int64_t month = 0; month < 12; month++) {
        if (day < lengths[month]) {
            return month + 1;
        }
        day -= lengths[month];
    }
    return 12;
}

/* Busy areas in the middle: Zipf ranks walk outwards. */
static int64_t draw_area(struct sample_draws *draws)
{
    return (38 + 30 * draw_zipf(draws, N_AREAS)) % N_AREAS;
}

static double latitude(int64_t area)
{
    return 41.66 + 0.033 * (double)(area % N_ROWS_OF_AREAS) + 0.0011 * (double)(area % 5);
}

static double longitude(int64_t area)
{
    int64_t column = area / N_ROWS_OF_AREAS;
    return -87.88 + 0.036 * (double)column + 0.0013 * (double)(area % 3);
}

static void draw_time(struct trip *trip, struct sample_draws *draws)
{
    trip->day = draw_below(draws, N_DAYS);
    trip->hour = draw_weighted(draws, hours, 24);
    int64_t quarter = draw_below(draws, 4);
    trip->timestamp = (15706 + trip->day) * 86400 + trip->hour * 3600 + quarter * 900; /* from 2013-01-01 */
}

static void draw_ride(struct trip *trip, struct sample_draws *draws)
{
    trip->pickup = draw_area(draws);
    trip->dropoff = draw_uniform(draws) < 0.25 ? trip->pickup : draw_area(draws);
    double north = 69.0 * (latitude(trip->pickup) - latitude(trip->dropoff));
    double east = 51.4 * (longitude(trip->pickup) - longitude(trip->dropoff));
    double miles = 0.6 + 1.25 * sqrt(north * north + east * east) + draw_uniform(draws);
    bool rush = (trip->hour >= 7 && trip->hour < 10) || (trip->hour >= 16 && trip->hour < 19);
    double minutes = 2.0 + miles * (rush ? 3.8 : 2.6) * (0.8 + 0.4 * draw_uniform(draws));
    trip->seconds = 60 * (int64_t)minutes;
    double fare = 3.25 + 1.8 * miles + 0.2 * minutes;
    trip->fare_cents = 5 * (int64_t)(fare * 20.0 + draw_uniform(draws));
    trip->miles_tenths = draw_uniform(draws) < 0.15 ? 0 : (int64_t)(miles * 10.0);
    trip->company = draw_uniform(draws) < 0.34 ? -1 : draw_zipf(draws, N_COMPANIES);
}

/* What makes a customer generous, beyond chance. */
static double generosity(const struct trip *trip)
{
    static const double by_hour[24] = {0.7,  0.8,  0.9,  0.6,  -0.2, -0.8, -0.9, -0.7, -0.5, -0.3, -0.2, -0.1,
                                       -0.1, -0.2, -0.2, -0.1, 0.0,  0.2,  0.4,  0.5,  0.5,  0.6,  0.6,  0.7};
    int64_t weekday = (trip->day + 2) % 7; /* 2013-01-01 was a Tuesday */
    double dollars = (double)trip->fare_cents / 100.0;
    double signal = 0.8 * by_hour[trip->hour] + (weekday == 0 || weekday == 6 ? 0.25 : -0.1);
    signal += 0.5 * true_effect(1, trip->company) + 0.35 * true_effect(2, trip->dropoff);
    signal += dollars < 8.0 ? 0.6 : dollars < 20.0 ? 0.1 : dollars < 35.0 ? -0.5 : -0.2;
    return signal;
}

static void draw_payment(struct trip *trip, struct sample_draws *draws)
{
    static const double others[5] = {0.66, 0.26, 0.045, 0.025, 0.01};
    static const char *const names[5] = {"No Charge", "Unknown", "Dispute", "Pcard", "Prcard"};
    double kind = draw_uniform(draws);
    double card = 0.37 + (trip->fare_cents > 2000 ? 0.12 : 0.0) + (trip->hour >= 18 ? 0.04 : 0.0);
    double share = 0.0;
    double noise = draw_bell(draws);
    double chance = draw_uniform(draws);
    if (kind < 0.008) {
        trip->payment = names[draw_weighted(draws, others, 5)];
    } else if (kind < 0.008 + card) {
        trip->payment = "Credit Card";
        share = chance < 0.05 ? 0.0 : 0.224 + 0.045 * (generosity(trip) + noise);
    } else {
        trip->payment = "Cash";
        share = chance < 0.025 ? 0.2 + 0.08 * noise : 0.0;
    }
    trip->tip_cents = share <= 0.0 ? 0 : 5 * (int64_t)(share * (double)trip->fare_cents / 5.0 + 0.5);
}

static char *put_place(char *out, int64_t area, bool missing)
{
    if (!missing) {
        out = put_decimal(out, (int64_t)(latitude(area) * 1e6) * 1000 + area * 7, 9);
    }
    *out++ = ',';
    if (!missing) {
        out = put_decimal(out, (int64_t)(longitude(area) * 1e6) * 1000 - area * 3, 9);
    }
    *out++ = ',';
    return out;
}

static char *put_company(char *out, int64_t company)
{
    if (company < 0) {
        return out;
    }
    const char *name = companies[company];
    if (strpbrk(name, ",\"") == NULL) {
        return put_text(out, name);
    }
    *out++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"') {
            *out++ = '"';
        }
        *out++ = *name;
    }
    *out++ = '"';
    return out;
}

static char *put_optional(char *out, int64_t value, bool missing)
{
    out = missing ? out : put_int(out, value);
    *out++ = ',';
    return out;
}

static char *put_trip(char *out, const struct trip *trip, int64_t row, struct sample_draws *draws)
{
    bool no_pickup = draw_uniform(draws) < 0.0003, no_dropoff = draw_uniform(draws) < 0.033;
    bool no_seconds = draw_uniform(draws) < 0.0005, no_tract = draw_uniform(draws) < 0.25;
    out = put_optional(out, trip->pickup + 1, no_pickup);
    out = put_decimal(out, trip->fare_cents, 2);
    *out++ = ',';
    out = put_optional(out, month_of(trip->day), false);
    out = put_optional(out, trip->hour, false);
    out = put_optional(out, (trip->day + 2) % 7 + 1, false);
    out = put_optional(out, trip->timestamp, false);
    out = put_place(out, trip->pickup, no_pickup);
    out = put_place(out, trip->dropoff, no_dropoff);
    out = put_decimal(out, trip->miles_tenths, 1);
    *out++ = ',';
    out = put_optional(out, 17031000000 + 100 * (trip->pickup + 1), row % 15000 != 77);
    out = put_optional(out, 17031000000 + 10000 * (trip->dropoff + 1) + 100 * (trip->company + 2),
                       no_tract || no_dropoff);
    out = put_text(out, trip->payment);
    *out++ = ',';
    out = put_company(out, trip->company);
    *out++ = ',';
    out = put_optional(out, trip->seconds, no_seconds);
    out = put_optional(out, trip->dropoff + 1, no_dropoff);
    out = put_decimal(out, trip->tip_cents, 2);
    *out++ = '\n';
    return out;
}

char *pen_sample_taxi_row(char *out, uint64_t seed, int64_t row)
{
    struct sample_draws draws;
    struct trip trip;
    draws_begin(&draws, seed, row);
    draw_time(&trip, &draws);
    draw_ride(&trip, &draws);
    draw_payment(&trip, &draws);
    return put_trip(out, &trip, row, &draws);
}
