/* Complaints about banks, in the shape of the public complaint data that text tutorials use; companies and words are
 * made up.
 *
 * A customer has a temper. It shows in the words of the narrative (each sentence is chosen by temper, with noise), and
 * with the company and the kind of answer it decides whether the answer is disputed. Narratives hold commas, doubled
 * quotes and line ends, so that the file is a fair test of a CSV reader. */
#include "datasets/samples/rows_internal.h"

enum {
    N_PRODUCTS = 6,
    N_SUB = 3,
    N_ISSUES = 4,
    N_STATES = 20,
    N_COMPANIES = 12,
    N_RESPONSES = 5,
    N_TONES = 3,
    N_EACH = 6
};

const char pen_sample_complaints_header[] =
    "product,sub_product,issue,state,zip_code,company,company_response,consumer_complaint_narrative,disputed\n";

static const char *const products[N_PRODUCTS] = {"Mortgage",        "Credit card",  "Bank account",
                                                 "Debt collection", "Student loan", "Credit reporting"};
static const char *const sub_products[N_PRODUCTS][N_SUB] = {
    {"Fixed rate", "Adjustable rate", "Home equity"},
    {"Store card", "General card", "Charge card"},
    {"Checking", "Savings", "Certificate of deposit"},
    {"Medical", "Payday loan", "Other (phone, health club, etc.)"},
    {"Federal", "Private", "Refinanced"},
    {"", "", ""},
};
static const char *const issues[N_PRODUCTS][N_ISSUES] = {
    {"Escrow account", "Payment not credited", "Foreclosure", "Closing costs"},
    {"Billing dispute", "Late fee", "Interest rate", "Closing the account"},
    {"Deposits and withdrawals", "Overdraft fee", "Account opening", "Card problems"},
    {"Debt is not mine", "Too many calls", "Threats", "Wrong amount"},
    {"Repayment plan", "Wrong balance", "Deferment refused", "Trouble with servicer"},
    {"Incorrect information", "Investigation took too long", "Report not received", "Improper use of report"},
};
static const char *const things[N_PRODUCTS] = {"mortgage",     "credit card",  "checking account",
                                               "alleged debt", "student loan", "credit report"};
static const char *const states[N_STATES] = {"CA", "FL", "TX", "NY", "GA", "NJ", "PA", "IL", "VA", "MD",
                                             "OH", "NC", "MI", "AZ", "WA", "MA", "CO", "TN", "MO", "OR"};
static const char *const companies[N_COMPANIES] = {
    "Fairmont Bank",     "Osprey Financial", "First Lantern Trust", "Cobalt Card Services",
    "Mill & Main, N.A.", "Redwood Lending",  "Atlas Recovery",      "Pinnacle Servicing",
    "Harbor Mutual",     "Quill Credit",     "Northern Loans",      "Tamarack Data",
};
static const char *const responses[N_RESPONSES] = {"Closed with explanation", "Closed with monetary relief",
                                                   "Closed with non-monetary relief", "Closed", "Untimely response"};

/* %s stands for the product. */
static const char *const openings[N_EACH] = {"I opened my %s with this company in 2014.",
                                             "I am writing about my %s.",
                                             "For three months I have had a problem with my %s.",
                                             "My %s was transferred, and nobody told me.",
                                             "On XX/XX/2015 I called about my %s.",
                                             "This concerns a charge on my %s, and the fee of $35.00 that followed."};
static const char *const sentences[N_TONES][N_EACH] = {
    /* calm */
    {"The agent was polite and apologized.", "They sent a letter that explained the fee.",
     "A refund was promised, and it arrived within a week.", "I would like the record corrected, thank you.",
     "The matter is mostly resolved now.", "I understand that mistakes happen."},
    /* neutral */
    {"I was transferred between departments.", "The statement shows another amount.",
     "I have attached copies of my statements.", "They asked me to send the form again.",
     "The balance was reported to the bureau.", "I called on Monday, and again on Friday."},
    /* angry */
    {"This is unacceptable and I will not give up!", "They ignored every letter and refused to answer.",
     "The supervisor said \"that is not our problem\" and hung up.", "I was lied to, again and again.",
     "This company is harassing my family.", "I demand an investigation by a lawyer."},
};

static char *put_cell(char *out, const char *text)
{
    bool quoted = strpbrk(text, ",\"") != NULL;
    if (quoted) {
        *out++ = '"';
    }
    out = put_text(out, text);
    if (quoted) {
        *out++ = '"';
    }
    *out++ = ',';
    return out;
}

/* Inside quotes: doubles quotes, puts the product for %s. */
static char *put_sentence(char *out, const char *text, const char *thing)
{
    for (; *text != '\0'; text++) {
        if (text[0] == '%' && text[1] == 's') {
            out = put_text(out, thing);
            text++;
            continue;
        }
        if (*text == '"') {
            *out++ = '"';
        }
        *out++ = *text;
    }
    return out;
}

static char *put_narrative(char *out, struct sample_draws *draws, int64_t product, double temper)
{
    int64_t n_sentences = 2 + draw_zipf(draws, 14);
    *out++ = '"';
    out = put_sentence(out, openings[draw_below(draws, N_EACH)], things[product]);
    for (int64_t i = 0; i < n_sentences; i++) {
        double mood = temper + 0.9 * draw_bell(draws);
        int64_t tone = mood < -0.45 ? 0 : mood < 0.55 ? 1 : 2;
        *out++ = draw_below(draws, 12) == 0 ? '\n' : ' ';
        out = put_sentence(out, sentences[tone][draw_below(draws, N_EACH)], things[product]);
    }
    *out++ = '"';
    return out;
}

char *pen_sample_complaints_row(char *out, uint64_t seed, int64_t row)
{
    static const double response_shares[N_RESPONSES] = {0.72, 0.08, 0.12, 0.05, 0.03};
    struct sample_draws draws;
    draws_begin(&draws, seed, row);
    int64_t product = draw_zipf(&draws, N_PRODUCTS);
    int64_t issue = draw_zipf(&draws, N_ISSUES);
    int64_t state = draw_zipf(&draws, N_STATES);
    int64_t company = (draw_zipf(&draws, N_COMPANIES) + 2 * product) % N_COMPANIES;
    int64_t response = draw_weighted(&draws, response_shares, N_RESPONSES);
    double temper = draw_bell(&draws);
    double logit = -1.3 + 1.5 * temper + 0.5 * true_effect(100, company) + 0.4 * true_effect(101, 10 * product + issue);
    logit += response == 1 ? -1.2 : response == 2 ? -0.6 : response == 4 ? 0.8 : 0.0;
    bool disputed = draw_uniform(&draws) < 1.0 / (1.0 + exp(-logit));
    bool no_zip = draw_below(&draws, 50) == 0, no_narrative = draw_below(&draws, 20) == 0;
    out = put_cell(out, products[product]);
    out = put_cell(out, sub_products[product][draw_below(&draws, N_SUB)]);
    out = put_cell(out, issues[product][issue]);
    out = put_cell(out, states[state]);
    out = no_zip ? out : put_int(out, 10000 + 4000 * state + draw_zipf(&draws, 3900));
    *out++ = ',';
    out = put_cell(out, companies[company]);
    out = put_cell(out, responses[response]);
    out = no_narrative ? out : put_narrative(out, &draws, product, temper);
    *out++ = ',';
    *out++ = disputed ? '1' : '0';
    *out++ = '\n';
    return out;
}
