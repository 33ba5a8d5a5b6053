/* The functions of the language: a row each. Arguments are bound in bind.c; what a call becomes is in build_*.c. */
#include "components/transform/language/calls.h"

#include "core/text.h"
#include "kernels/columns/columns.h"

#include <string.h>

/* clang-format off */
static const struct pen_function functions[] = {
    {"abs", {"x"}, pen_build_abs, 0},
    {"bucketize", {"x", "n#", "by!"}, pen_build_bucketize, 0},
    {"buckets", {"x", "edges@"}, pen_build_buckets, PEN_NODE_BUCKETS},
    {"cast", {"x", "type$"}, pen_build_cast, 0},
    {"ceil", {"x"}, pen_build_map, PEN_MAP_CEIL},
    {"clip", {"x", "low~", "high~"}, pen_build_clip, 0},
    {"concat", {"a", "b", "more*"}, pen_build_join, 0},
    {"contains", {"x", "text$"}, pen_build_contains, PEN_NODE_CONTAINS},
    {"count", {"x", "by!"}, pen_build_count, 0},
    {"count_tokens", {"x"}, pen_build_count_tokens, 0},
    {"cross", {"a", "b", "more*"}, pen_build_join, 1},
    {"day", {"x", "order$=ymd"}, pen_build_date, PEN_DATE_DAY},
    {"exp", {"x"}, pen_build_map, PEN_MAP_EXP},
    {"fill", {"x", "value"}, pen_build_fill, 0},
    {"floor", {"x"}, pen_build_map, PEN_MAP_FLOOR},
    {"hash", {"x", "n#", "seed#=0"}, pen_build_hash, 0},
    {"hour", {"x", "order$=ymd"}, pen_build_date, PEN_DATE_HOUR},
    {"if", {"condition", "a", "b"}, pen_build_if, 0},
    {"interpolate", {"x", "edges@"}, pen_build_buckets, PEN_NODE_INTERPOLATE},
    {"is_missing", {"x"}, pen_build_is_missing, 0},
    {"length", {"x"}, pen_build_length, 0},
    {"log", {"x"}, pen_build_map, PEN_MAP_LOG},
    {"log1p", {"x"}, pen_build_map, PEN_MAP_LOG1P},
    {"lower", {"x"}, pen_build_entry, PEN_NODE_LOWER},
    {"max", {"a", "b!", "by!"}, pen_build_map2, PEN_MAP_MAX},
    {"mean", {"x", "by!"}, pen_build_statistic, PEN_STATISTIC_MEAN},
    {"median", {"x", "by!"}, pen_build_statistic, PEN_STATISTIC_MEDIAN},
    {"min", {"a", "b!", "by!"}, pen_build_map2, PEN_MAP_MIN},
    {"minmax", {"x", "low~=0", "high~=1", "by!"}, pen_build_minmax, 0},
    {"minute", {"x", "order$=ymd"}, pen_build_date, PEN_DATE_MINUTE},
    {"month", {"x", "order$=ymd"}, pen_build_date, PEN_DATE_MONTH},
    {"multihot", {"x"}, pen_build_multihot, 0},
    {"ngrams", {"x", "sizes@"}, pen_build_ngrams, 0},
    {"number", {"x", "decimal$=."}, pen_build_amount, 0},
    {"onehot", {"x", "n#=0"}, pen_build_onehot, 0},
    {"quantile", {"x", "share~", "by!"}, pen_build_quantile, 0},
    {"rank", {"x", "n#=100"}, pen_build_rank, 0},
    {"robust", {"x", "by!"}, pen_build_scale, PEN_NODE_ROBUST},
    {"round", {"x"}, pen_build_map, PEN_MAP_ROUND},
    {"sigmoid", {"x"}, pen_build_map, PEN_MAP_SIGMOID},
    {"split", {"x", "separator$"}, pen_build_split, 0},
    {"sqrt", {"x"}, pen_build_map, PEN_MAP_SQRT},
    {"starts_with", {"x", "text$"}, pen_build_contains, PEN_NODE_STARTS_WITH},
    {"std", {"x", "by!"}, pen_build_statistic, PEN_STATISTIC_STD},
    {"sum", {"x", "by!"}, pen_build_statistic, PEN_STATISTIC_SUM},
    {"tfidf", {"x", "top_k#=1000", "smooth?=true"}, pen_build_tfidf, 0},
    {"tokens", {"x", "lower?=false"}, pen_build_tokens, 0},
    {"trim", {"x"}, pen_build_entry, PEN_NODE_TRIM},
    {"unique", {"x"}, pen_build_unique, 0},
    {"upper", {"x"}, pen_build_entry, PEN_NODE_UPPER},
    {"var", {"x", "by!"}, pen_build_statistic, PEN_STATISTIC_VAR},
    {"vocab", {"x", "top_k#=0", "min_count#=1", "oov#=0"}, pen_build_vocab, 0},
    {"weekday", {"x", "order$=ymd"}, pen_build_date, PEN_DATE_WEEKDAY},
    {"year", {"x", "order$=ymd"}, pen_build_date, PEN_DATE_YEAR},
    {"zscore", {"x", "by!"}, pen_build_scale, PEN_NODE_ZSCORE},
};
/* clang-format on */
enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

pen_status pen_function_build(struct pen_builder *b, const struct pen_syntax *syntax, int32_t *out)
{
    const char *names[N_FUNCTIONS];
    for (int i = 0; i < N_FUNCTIONS; i++) {
        names[i] = functions[i].name;
        if (strcmp(names[i], syntax->text) == 0) {
            struct pen_call call = {.syntax = syntax, .detail = functions[i].detail};
            PEN_TRY(pen_call_bind(b, &functions[i], &call));
            return functions[i].build(b, &call, out);
        }
    }
    char quoted[PEN_QUOTE_BYTES];
    const char *near = pen_nearest_name(syntax->text, names, N_FUNCTIONS);
    return pen_syntax_error(b->source, syntax->offset, b->err, "unknown function '%s'%s%s%s",
                            pen_quote(quoted, syntax->text, strlen(syntax->text)),
                            near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}
